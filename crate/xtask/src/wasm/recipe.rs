//! `wasm-pack.toml`, read strictly.

use std::fs;

use serde::Deserialize;

use crate::outcome::{Explain, Result};
use crate::project::root;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recipe {
    /// The crate to build.
    pub(super) package: String,
    /// Arguments of wasm-opt.
    pub(super) optimise: Vec<String>,
    /// What the wasm and its JS may weigh together, brotli.
    pub(super) budget_brotli_bytes: u64,
    /// What is built from it, the shipped one first.
    pub(super) output: Vec<Output>,
    /// Modules without glue.
    pub(super) module: Vec<Module>,
    /// Scripts of the package beside its index.
    pub(super) entry: Vec<Entry>,
}

/// A script of the package that a page fetches only where it imports it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Its name.
    pub(super) file: String,
    /// What it may weigh.
    pub(super) budget_brotli_bytes: u64,
}

/// One build of the crate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Output {
    /// Where it goes, from the root.
    pub(super) folder: String,
    /// Cargo features to switch on.
    pub(super) features: Vec<String>,
    /// Whether it is part of the package, and the budget holds for it.
    pub(super) shipped: bool,
}

/// A crate as a module of its own, which takes its memory from whoever starts it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Module {
    /// The crate.
    pub(super) package: String,
    /// Cargo features to switch on.
    pub(super) features: Vec<String>,
    /// Where it goes, from the root.
    pub(super) file: String,
    /// WebAssembly's features that it may use.
    pub(super) target_features: Vec<String>,
    /// Whether its memory is shared between threads.
    pub(super) threads: bool,
    /// Whether it is part of the package, and a budget holds for it.
    pub(super) shipped: bool,
    /// What it may weigh, if a page fetches it only when something asks for it; else it counts with the rest.
    pub(super) budget_brotli_bytes: Option<u64>,
}

impl Recipe {
    /// Reads the file.
    pub(super) fn read() -> Result<Self> {
        let text = fs::read_to_string(root().join("wasm-pack.toml"))
            .explain(|| "cannot read wasm-pack.toml")?;
        toml::from_str(&text).explain(|| "wasm-pack.toml is malformed")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn projects_recipe_is_read_and_its_first_output_is_held_to_the_budget() {
        let recipe = Recipe::read().expect("it is well-formed");
        let first = recipe.output.first().expect("there is one");
        assert!(first.shipped, "the shipped output has a budget");
        assert!(
            first.features.is_empty(),
            "the shipped output has no test feature"
        );
        let files: HashSet<_> = recipe.module.iter().map(|module| &module.file).collect();
        assert_eq!(files.len(), recipe.module.len(), "each module has a file");
    }

    #[test]
    fn unknown_key_is_refused() {
        let refused = toml::from_str::<Recipe>("packages = 1").is_err();
        assert!(refused, "a misspelt key must not be ignored");
    }
}
