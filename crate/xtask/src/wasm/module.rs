//! Modules without glue: a crate compiled to one wasm file that exports plain functions.

use std::fs;

use super::recipe::{Module, Recipe};
use super::{artifact, optimise, stamp_of};
use crate::outcome::{Explain, Result};
use crate::prerequisite::{self, WASM_TARGET};
use crate::project::{root, shown};
use crate::tool::Tool;

/// Builds the modules of the recipe: all, or those that are shipped.
pub(super) fn build_all(recipe: &Recipe, only_shipped: bool) -> Result<()> {
    recipe
        .module
        .iter()
        .filter(|module| module.shipped || !only_shipped)
        .try_for_each(|module| build(recipe, module))
}

fn build(recipe: &Recipe, module: &Module) -> Result<()> {
    let path = root().join(&module.file);
    let name = format!("wasm-{}", module.file.replace(['/', '.'], "-"));
    let own = module.package.trim_start_matches("puna-");
    let stamp = stamp_of(&name, "release", &["core", own])?;
    if stamp.is_fresh(std::slice::from_ref(&path)) {
        println!("{} is up to date", module.file);
        return Ok(());
    }
    stamp.clear();
    prerequisite::wasm_target()?;
    println!("building {}", module.file);
    let cargo = Tool::cargo()
        .args(["rustc", "--release", "--package", &module.package, "--lib"])
        .args(["--crate-type", "cdylib", "--target", WASM_TARGET])
        .args(["--features", &module.features.join(",")])
        .arg("--message-format=json-render-diagnostics")
        .arg("--")
        .args(flags(module));
    let built = artifact(cargo, &module.package)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).explain(|| format!("cannot make {}", shown(folder)))?;
    }
    fs::copy(&built, &path).explain(|| format!("cannot write {}", shown(&path)))?;
    optimise(recipe, &path)?;
    stamp.set()
}

/// Arguments of the compiler.
///
/// Threads need no standard library of their own: linking optimises all code as one unit, the standard library's
/// among it, which then is compiled with atomics too. Its allocator still has no lock: one thread allocates.
fn flags(module: &Module) -> Vec<String> {
    let mut features = module.target_features.clone();
    // The memory is whoever's starts the module, and may grow to all that addresses reach.
    let mut link = vec!["--import-memory", "--max-memory=4294967296"];
    if module.threads {
        features.extend(["atomics", "bulk-memory"].map(str::to_owned));
        link.extend(["--shared-memory", "--export=__stack_pointer"]);
    }
    let mut flags = Vec::new();
    if !features.is_empty() {
        let features: Vec<_> = features.iter().map(|name| format!("+{name}")).collect();
        flags.push(format!("-Ctarget-feature={}", features.join(",")));
    }
    flags.extend(link.iter().map(|flag| format!("-Clink-arg={flag}")));
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_module_with_threads_shares_its_memory() {
        for threads in [false, true] {
            let module = Module {
                package: "p".to_owned(),
                features: Vec::new(),
                file: "f.wasm".to_owned(),
                target_features: vec!["simd128".to_owned()],
                threads,
                shipped: true,
                budget_brotli_bytes: None,
            };
            let flags = flags(&module);
            assert!(
                flags[0].starts_with("-Ctarget-feature=+simd128"),
                "{flags:?}"
            );
            let shared = flags.iter().any(|flag| flag.ends_with("--shared-memory"));
            assert_eq!(shared, threads, "{flags:?}");
            assert_eq!(flags[0].contains("+atomics"), threads, "{flags:?}");
        }
    }
}
