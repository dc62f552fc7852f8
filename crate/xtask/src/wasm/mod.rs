//! `cargo xtask wasm`: the crate of `wasm-pack.toml` as optimised wasm with its JS glue, weighed.

mod module;
mod recipe;
mod weigh;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wasm_bindgen_cli_support::Bindgen;

use crate::node;
use crate::outcome::{Explain, Failure, Result};
use crate::prerequisite::{self, WASM_TARGET};
use crate::project::{files_under, root, shown};
use crate::stamp::{Inputs, Stamp};
use crate::tool::Tool;
use recipe::{Output, Recipe};

/// Builds every output of the recipe; with `dev` only the first, unoptimised and unweighed.
pub(crate) fn run(dev: bool) -> Result<()> {
    let recipe = Recipe::read()?;
    for output in recipe.output.iter().take(if dev { 1 } else { usize::MAX }) {
        build(&recipe, output, dev)?;
    }
    module::build_all(&recipe, false)?;
    weigh(&recipe, dev)
}

/// Builds the modules of the CPU's executor, those with tests inside too.
pub(crate) fn modules() -> Result<()> {
    module::build_all(&Recipe::read()?, false)
}

/// Builds what the package is made of, without the conformance suite.
pub(crate) fn engine() -> Result<()> {
    let recipe = Recipe::read()?;
    let Some(output) = recipe.output.first() else {
        return Err(Failure::new(
            "wasm-pack.toml names no [[output]]: restore it",
        ));
    };
    build(&recipe, output, false)?;
    module::build_all(&recipe, true)?;
    weigh(&recipe, false)
}

/// Holds what a page fetches to the budget: the engine and one of the modules; and what it fetches later to its own.
fn weigh(recipe: &Recipe, dev: bool) -> Result<()> {
    if dev {
        return Ok(());
    }
    let mut files = Vec::new();
    for output in recipe.output.iter().filter(|output| output.shipped) {
        files.extend(files_under(&root().join(&output.folder), &[])?);
    }
    let modules = recipe.module.iter().filter(|module| module.shipped);
    files.extend(modules.map(|module| root().join(&module.file)));
    weigh::check(&files, recipe)
}

fn build(recipe: &Recipe, output: &Output, dev: bool) -> Result<()> {
    let folder = root().join(&output.folder);
    let stem = recipe.package.replace('-', "_");
    let wasm = folder.join(format!("{stem}_bg.wasm"));
    let stamp = stamp(output, dev)?;
    if stamp.is_fresh(&[wasm.clone(), folder.join(format!("{stem}.js"))]) {
        println!("{}/ is up to date", output.folder);
    } else {
        stamp.clear();
        prerequisite::wasm_target()?;
        println!("building {}/", output.folder);
        let module = compile(recipe, output, dev)?;
        bind(&module, &folder)?;
        if !dev {
            optimise(recipe, &wasm)?;
        }
        stamp.set()?;
    }
    Ok(())
}

/// Holds the built package to the budget: what a page fetches, the engine's glue and worker bundled.
pub(crate) fn weigh_package(dist: &Path) -> Result<()> {
    let files = files_under(dist, &["demo", "test", "types"])?;
    weigh::check(&files, &Recipe::read()?)
}

/// Everything that the output is made from.
fn stamp(output: &Output, dev: bool) -> Result<Stamp> {
    let name = format!("wasm-{}", output.folder.replace('/', "-"));
    let crates = ["core", "cpu", "gpu", "grammar", "web", "conformance"];
    stamp_of(&name, if dev { "dev" } else { "release" }, &crates)
}

/// The stamp of what is made from some of the crates.
fn stamp_of(name: &str, how: &str, crates: &[&str]) -> Result<Stamp> {
    let compiler = Tool::new("rustc").arg("--version").text()?;
    let mut inputs = Inputs::new(&[&compiler, how]);
    for name in crates {
        inputs = inputs.path(&root().join(format!("crate/puna-{name}")), &["tests"])?;
    }
    let paths = [
        "crate/xtask/src/wasm",
        "shaders",
        "Cargo.toml",
        "Cargo.lock",
        "wasm-pack.toml",
        "rust-toolchain.toml",
        "tests/package-lock.json",
    ];
    for path in paths {
        inputs = inputs.path(&root().join(path), &[])?;
    }
    Ok(inputs.stamp(name))
}

/// Compiles the crate; the path of the module that cargo says it wrote.
fn compile(recipe: &Recipe, output: &Output, dev: bool) -> Result<PathBuf> {
    let mut cargo = Tool::cargo()
        .args([
            "build",
            "--package",
            &recipe.package,
            "--lib",
            "--target",
            WASM_TARGET,
        ])
        .arg("--message-format=json-render-diagnostics");
    if !dev {
        cargo = cargo.arg("--release");
    }
    if !output.features.is_empty() {
        cargo = cargo.args(["--features", &output.features.join(",")]);
    }
    artifact(cargo, &recipe.package)
}

/// Runs cargo; the path of the package's wasm that it says it wrote.
fn artifact(cargo: Tool, package: &str) -> Result<PathBuf> {
    let command = cargo.shown().to_owned();
    let mut module = None;
    let ok = cargo.dir(&root()).lines(|line| {
        if let Some(path) = wasm_of(line, package) {
            module = Some(path);
        }
    })?;
    match module {
        Some(module) if ok => Ok(module),
        _ => Err(Failure::new(format!(
            "`{command}` failed; the compiler's message is above"
        ))),
    }
}

/// The wasm file in a line of cargo's messages, if the line tells of the package's.
fn wasm_of(line: &str, package: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message.get("reason")? != "compiler-artifact" {
        return None;
    }
    let name = message.get("target")?.get("name")?.as_str()?;
    if name.replace('-', "_") != package.replace('-', "_") {
        return None;
    }
    let files = message.get("filenames")?.as_array()?;
    let wasm = files
        .iter()
        .filter_map(Value::as_str)
        .find(|file| file.ends_with(".wasm"))?;
    Some(PathBuf::from(wasm))
}

/// Writes the wasm, its JS and its types into a new folder and puts it in place of the old one.
fn bind(module: &Path, folder: &Path) -> Result<()> {
    let fresh = folder.with_extension("new");
    let _ = fs::remove_dir_all(&fresh);
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        // wasm-opt orders functions by their names, and drops those.
        .remove_name_section(false)
        // The glue finds the wasm beside itself; bundlers know the expression.
        .omit_default_module_path(false)
        .typescript(true)
        .web(true)
        .and_then(|bindgen| bindgen.generate(&fresh))
        .explain(|| {
            format!("wasm-bindgen refused {} (library and tool must be the same version: see Cargo.toml)", module.display())
        })?;
    let _ = fs::remove_dir_all(folder);
    fs::rename(&fresh, folder).explain(|| format!("cannot write {}", shown(folder)))
}

/// Nearly halves what wasm-bindgen leaves.
fn optimise(recipe: &Recipe, wasm: &Path) -> Result<()> {
    let tools = root().join("tests");
    node::install(&tools)?;
    let program = tools.join("node_modules/binaryen/bin/wasm-opt");
    if !program.is_file() {
        return Err(Failure::new(format!(
            "{} is missing: the npm package binaryen belongs to the devDependencies of tests/package.json",
            shown(&program)
        )));
    }
    let smaller = wasm.with_extension("wasm.new");
    Tool::new("node")
        .arg(program)
        .args(&recipe.optimise)
        .arg(wasm)
        .arg("-o")
        .arg(&smaller)
        .run()?;
    fs::rename(&smaller, wasm).explain(|| format!("cannot write {}", shown(wasm)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_packages_wasm_is_taken_from_cargos_messages() {
        let line = |name: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"filenames":["/t/x.rlib","/t/x.wasm"]}}"#
            )
        };
        assert_eq!(
            wasm_of(&line("puna_web"), "puna-web"),
            Some(PathBuf::from("/t/x.wasm")),
            "the package's"
        );
        assert_eq!(wasm_of(&line("other"), "puna-web"), None, "another's");
        assert_eq!(wasm_of("Compiling", "puna-web"), None, "no message");
    }
}
