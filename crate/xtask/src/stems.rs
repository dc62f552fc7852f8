//! A kernel is four files of one stem; this finds the ones that are not all there.

use std::collections::BTreeSet;
use std::fs;

use crate::outcome::{Explain, Failure, Result};
use crate::project::root;

/// Where each of the four lies. `*` is the stem.
const PLACES: [&str; 4] = [
    "shaders/kernel/*.wgsl",
    "crate/puna-gpu/src/kernel/*.rs",
    "crate/puna-core/src/reference/*.rs",
    "crate/puna-conformance/src/case/*.rs",
];

/// Files in those folders that are no kernel: the module's root, and what runs a whole Graph.
const NOT_KERNELS: [&str; 2] = ["mod", "executor"];

/// Fails when a kernel lacks one of its four files, naming each file; else the number of kernels.
pub(crate) fn check() -> Result<usize> {
    let found = PLACES.map(stems);
    let mut sets = Vec::new();
    for set in found {
        sets.push(set?);
    }
    let missing = missing(&sets);
    if missing.is_empty() {
        return Ok(sets.first().map_or(0, BTreeSet::len));
    }
    Err(Failure::new(format!(
        "a kernel is four files of one stem (shader, host half, reference, conformance case); missing:\n  {}",
        missing.join("\n  ")
    )))
}

/// The stems at a place; none where the folder is not there yet.
fn stems(place: &str) -> Result<BTreeSet<String>> {
    let (folder, suffix) = place.split_once("/*").unwrap_or((place, ""));
    let folder = root().join(folder);
    if !folder.is_dir() {
        return Ok(BTreeSet::new());
    }
    let mut stems = BTreeSet::new();
    for entry in fs::read_dir(&folder).explain(|| format!("cannot list {}", folder.display()))? {
        let name = entry
            .explain(|| format!("cannot list {}", folder.display()))?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if let Some(stem) = name
            .strip_suffix(suffix)
            .filter(|stem| !NOT_KERNELS.contains(stem))
        {
            stems.insert(stem.to_owned());
        }
    }
    Ok(stems)
}

/// What is missing where, in the order of [`PLACES`].
fn missing(sets: &[BTreeSet<String>]) -> Vec<String> {
    let all: BTreeSet<&String> = sets.iter().flatten().collect();
    let mut missing = Vec::new();
    for (place, set) in PLACES.iter().zip(sets) {
        for stem in all.iter().filter(|stem| !set.contains(**stem)) {
            missing.push(place.replace('*', stem));
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(of: [&[&str]; 4]) -> Vec<BTreeSet<String>> {
        of.iter()
            .map(|stems| stems.iter().map(|&stem| stem.to_owned()).collect())
            .collect()
    }

    #[test]
    fn complete_kernels_pass() {
        let full = ["glu", "qkv"].as_slice();
        assert!(missing(&sets([full; 4])).is_empty(), "all four are there");
    }

    #[test]
    fn file_that_is_missing_is_named_with_its_folder() {
        let found = missing(&sets([&["glu"], &["glu"], &["glu"], &[]]));
        assert_eq!(
            found,
            ["crate/puna-conformance/src/case/glu.rs"],
            "the case is missing"
        );
    }
}
