//! `cargo xtask check`: what needs no device: formatting, lints, stems, generated code, file sizes.

use crate::codegen;
use crate::outcome::{Failure, Result};
use crate::prerequisite::{self, WASM_TARGET};
use crate::project::{files_under, root, shown};
use crate::stems;
use crate::tool::Tool;

/// The crates that run in the browser.
const WEB_CRATES: [&str; 10] = [
    "-p",
    "puna-core",
    "-p",
    "puna-cpu",
    "-p",
    "puna-gpu",
    "-p",
    "puna-grammar",
    "-p",
    "puna-web",
];

/// A named step of the check.
type Step = (&'static str, fn() -> Result<()>);

/// Every step in order.
const STEPS: [Step; 8] = [
    ("formatting", formatting),
    ("clippy, native", clippy_native),
    ("clippy, wasm32", clippy_wasm),
    (
        "clippy, wasm32 with the conformance suite",
        clippy_wasm_conformance,
    ),
    ("clippy, the CPU's module", clippy_cpu_module),
    ("clippy, the grammar module", clippy_grammar_module),
    ("kernel stems", kernel_stems),
    ("generated code", codegen::verify),
];

/// What ran, and the failures in words.
pub(crate) struct Report {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<String>,
}

/// Runs every step and fails if one did.
pub(crate) fn run() -> Result<()> {
    let report = report()?;
    if report.failures.is_empty() {
        return Ok(());
    }
    Err(Failure::new(report.failures.join("\n\n")))
}

/// Runs every step, the later ones too when one fails.
pub(crate) fn report() -> Result<Report> {
    prerequisite::wasm_target()?;
    let mut report = Report {
        passed: 0,
        failures: Vec::new(),
    };
    for (name, step) in STEPS {
        println!("check: {name}");
        match step() {
            Ok(()) => report.passed += 1,
            Err(failure) => {
                println!("check: {name} failed: {failure}");
                report.failures.push(format!("{name}: {failure}"));
            }
        }
    }
    longest_files()?;
    Ok(report)
}

fn formatting() -> Result<()> {
    Tool::cargo()
        .args(["fmt", "--all", "--check"])
        .run()
        .map_err(|failure| Failure::new(format!("{failure}\n(`cargo fmt --all` puts it right)")))
}

fn clippy_native() -> Result<()> {
    clippy(&["--workspace", "--all-targets"])
}

fn clippy_wasm() -> Result<()> {
    clippy(&[WEB_CRATES.as_slice(), &["--target", WASM_TARGET]].concat())
}

fn clippy_wasm_conformance() -> Result<()> {
    clippy(&[
        "-p",
        "puna-web",
        "--features",
        "conformance",
        "--target",
        WASM_TARGET,
    ])
}

/// Its kernels are compiled where their instructions are: other ones with the relaxed instructions than without.
fn clippy_cpu_module() -> Result<()> {
    for features in ["+simd128", "+simd128,+relaxed-simd"] {
        clippy(&[
            "-p",
            "puna-cpu",
            "--features",
            "self-test",
            "--target",
            WASM_TARGET,
            "--config",
            &format!("target.wasm32-unknown-unknown.rustflags=['-Ctarget-feature={features}']"),
        ])?;
    }
    Ok(())
}

fn clippy_grammar_module() -> Result<()> {
    clippy(&[
        "-p",
        "puna-grammar",
        "--features",
        "module",
        "--target",
        WASM_TARGET,
    ])
}

fn clippy(what: &[&str]) -> Result<()> {
    Tool::cargo()
        .args(["clippy", "--quiet"])
        .args(what)
        .args(["--", "-D", "warnings"])
        .run()
}

fn kernel_stems() -> Result<()> {
    let kernels = stems::check()?;
    println!("  {kernels} kernels with four files each");
    Ok(())
}

/// Prints the ten longest source files, so that growth is seen.
fn longest_files() -> Result<()> {
    const SKIP: [&str; 8] = [
        ".git",
        "target",
        "node_modules",
        "pkg",
        "pkg-conformance",
        "dist",
        "models",
        "golden",
    ];
    const SOURCES: [&str; 7] = ["rs", "wgsl", "ts", "mjs", "js", "css", "html"];
    let mut files = Vec::new();
    for path in files_under(&root(), &SKIP)? {
        let source = path
            .extension()
            .is_some_and(|extension| SOURCES.iter().any(|&known| extension == known));
        if source && let Ok(text) = std::fs::read_to_string(&path) {
            files.push((text.lines().count(), shown(&path)));
        }
    }
    files.sort_unstable_by(|a, b| b.cmp(a));
    println!("the ten longest files (look twice at 500 lines):");
    for (lines, path) in files.into_iter().take(10) {
        println!("  {lines:5}  {path}");
    }
    Ok(())
}
