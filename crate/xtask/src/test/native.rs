//! The tests of the crates on a software adapter of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::counts::Counts;
use crate::model;
use crate::outcome::{Failure, Result};
use crate::project::root;
use crate::tool::Tool;

/// Tests of what the host does, which is the same on every adapter: a quick run has them on one.
const OF_THE_HOST: [&str; 4] = ["programs", "run_ahead", "shaders", "tune"];
/// The kernels' cases, and tiny models: Chromium runs them on the same driver, through a compiler that is stricter.
const OF_THE_BROWSER: [&str; 2] = ["kernels", "tiny_model"];
/// What is made of kernels that these cases have, and takes long to compile: every variant, every architecture.
const OF_ONE_ADAPTER: &str = "every_";
/// The crates whose tests touch an adapter.
const GPU_CRATES: [&str; 2] = ["puna-gpu", "puna-conformance"];

/// A software Vulkan adapter: the name that tests insist on, and its driver's file.
#[derive(Clone, Debug)]
pub(super) struct Adapter {
    pub(super) name: &'static str,
    pub(super) icd: PathBuf,
}

/// All tests of all crates.
pub(super) fn everything(adapter: &Adapter, full: bool) -> Result<Counts> {
    let mut counts = Counts::default();
    let tool = Tool::cargo()
        .args(["test", "--workspace", "--no-fail-fast"])
        .dir(&root());
    let well = on(tool, adapter, full).lines(|line| {
        println!("{line}");
        counts.read_libtest(line);
    })?;
    Ok(counts.settle(well, "`cargo test --workspace`"))
}

/// The tests of the GPU crates alone. Runs the binaries that `cargo test --workspace` built: asking cargo for these
/// crates alone would choose other features of their dependencies and compile them again.
pub(super) fn gpu(adapter: &Adapter, full: bool) -> Result<Counts> {
    let mut counts = Counts::default();
    let mut well = true;
    let wanted = |binary: &Path| full || !is_had_elsewhere(binary);
    for (binary, package) in binaries()?.into_iter().filter(|(path, _)| wanted(path)) {
        println!("{}", binary.display());
        let mut tool = Tool::new(&binary)
            .dir(&package)
            .env("CARGO_MANIFEST_DIR", &package);
        if !full {
            tool = tool.args(["--skip", OF_ONE_ADAPTER]);
        }
        well &= on(tool, adapter, full).lines(|line| {
            println!("{line}");
            counts.read_libtest(line);
        })?;
    }
    Ok(counts.settle(well, "the tests of the GPU crates"))
}

/// Whether cargo named the binary after what a quick run has on another adapter or in a browser.
fn is_had_elsewhere(binary: &Path) -> bool {
    let name = binary.file_name().and_then(|name| name.to_str());
    let stem = name
        .and_then(|name| name.rsplit_once('-'))
        .map(|(stem, _)| stem);
    stem.is_some_and(|stem| OF_THE_BROWSER.contains(&stem) || OF_THE_HOST.contains(&stem))
}

fn on(tool: Tool, adapter: &Adapter, full: bool) -> Tool {
    // Loaders of different age read one or the other.
    let tool = tool
        .env("VK_DRIVER_FILES", &adapter.icd)
        .env("VK_ICD_FILENAMES", &adapter.icd)
        .env("PUNA_ADAPTER", adapter.name)
        .env("PUNA_MODELS", model::folder());
    if full {
        tool.env("PUNA_FULL", "1")
    } else {
        tool
    }
}

/// The test binaries of the GPU crates and the folder that each runs in.
fn binaries() -> Result<BTreeMap<PathBuf, PathBuf>> {
    let mut binaries = BTreeMap::new();
    let well = Tool::cargo()
        .args([
            "test",
            "--workspace",
            "--no-run",
            "--message-format=json-render-diagnostics",
        ])
        .dir(&root())
        .lines(|line| binaries.extend(binary(line)))?;
    if well && !binaries.is_empty() {
        return Ok(binaries);
    }
    Err(Failure::new(
        "the tests of the GPU crates do not build; the compiler's message is above",
    ))
}

/// The test binary and its package's folder in a line of cargo's messages, if it is of a GPU crate.
fn binary(line: &str) -> Option<(PathBuf, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_test = message.get("profile")?.get("test")?.as_bool()?;
    let package = Path::new(message.get("manifest_path")?.as_str()?).parent()?;
    let name = package.file_name()?.to_str()?;
    let executable = message.get("executable")?.as_str()?;
    let wanted = is_test && GPU_CRATES.contains(&name);
    wanted.then(|| (PathBuf::from(executable), package.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_are_had_elsewhere_are_known_by_name() {
        let is = |path: &str| is_had_elsewhere(Path::new(path));
        assert!(is("/t/debug/deps/run_ahead-0123abcd") && is("/t/debug/deps/tune-01"));
        assert!(is("/t/debug/deps/kernels-0123abcd") && is("/t/debug/deps/tiny_model-01"));
        assert!(!is("/t/debug/deps/adapters-0123abcd") && !is("/t/debug/deps/puna_gpu-01"));
    }

    #[test]
    fn only_test_binaries_of_gpu_crates_are_taken() {
        let line = |name: &str, test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"/p/crate/{name}/Cargo.toml","profile":{{"test":{test}}},"executable":"/t/x"}}"#
            )
        };
        let expected = (PathBuf::from("/t/x"), PathBuf::from("/p/crate/puna-gpu"));
        assert_eq!(
            binary(&line("puna-gpu", true)),
            Some(expected),
            "a test of a GPU crate"
        );
        assert_eq!(binary(&line("puna-gpu", false)), None, "no test");
        assert_eq!(binary(&line("puna-core", true)), None, "needs no adapter");
    }
}
