//! What a visitor fetches: raw, gzip and brotli bytes of the wasm and its JS, held to the budget.

use std::path::PathBuf;

use serde_json::Value;

use super::recipe::{Module, Recipe};
use crate::outcome::{Explain, Failure, Result};
use crate::project::{grouped, shown};
use crate::tool::Tool;

/// Node has both compressors; prints `[raw, gzip, brotli]` of each file.
const COMPRESS: &str = "\
const fs = require('fs'), zlib = require('zlib');
console.log(JSON.stringify(process.argv.slice(1).map((file) => {
  const data = fs.readFileSync(file);
  return [data.length, zlib.gzipSync(data, { level: 9 }).length, zlib.brotliCompressSync(data, { params: {
    [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: data.length } }).length];
})));";

/// How the files of alternatives begin, of which a page fetches one.
const ALTERNATIVES: &str = "puna_cpu_";

/// Prints what the wasm and JS files among `files` weigh, of alternatives the heaviest; fails above a budget.
pub(super) fn check(files: &[PathBuf], recipe: &Recipe) -> Result<()> {
    let mut files = files.to_vec();
    files.retain(|file| {
        file.extension()
            .is_some_and(|kind| kind == "wasm" || kind == "js")
    });
    let printed = Tool::new("node")
        .args(["-e", COMPRESS])
        .args(&files)
        .text()?;
    let weights: Vec<[u64; 3]> = serde_json::from_str::<Value>(&printed)
        .and_then(serde_json::from_value)
        .explain(|| "node did not say what the files weigh")?;

    println!("  {:>10} {:>10} {:>10}", "raw", "gzip", "brotli");
    let (mut total, mut heaviest) = ([0; 3], [0; 3]);
    let mut apart = Vec::new();
    for (file, weights) in files.iter().zip(weights) {
        print_row(weights, &shown(file));
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        if let Some(budget) = own_budget(recipe, &name) {
            apart.push((name.into_owned(), weights, budget));
        } else if name.starts_with(ALTERNATIVES) {
            heaviest = sum_or_larger(heaviest, weights, u64::max);
        } else {
            total = sum_or_larger(total, weights, |sum, more| sum + more);
        }
    }
    total = sum_or_larger(total, heaviest, |sum, more| sum + more);
    apart.insert(
        0,
        ("together".to_owned(), total, recipe.budget_brotli_bytes),
    );
    for (name, weights, budget) in apart {
        print_row(
            weights,
            &format!("{name} (brotli budget {})", grouped(budget)),
        );
        let [_, _, brotli] = weights;
        if brotli == 0 || brotli > budget {
            return Err(Failure::new(format!(
                "{name}: {} bytes (brotli), the budget in wasm-pack.toml is {}: find what grew (cargo tree, twiggy) before \
                 raising it",
                grouped(brotli),
                grouped(budget)
            )));
        }
    }
    Ok(())
}

/// The budget of a module or script that does not count with the rest.
fn own_budget(recipe: &Recipe, name: &str) -> Option<u64> {
    if let Some(entry) = recipe.entry.iter().find(|entry| entry.file == name) {
        return Some(entry.budget_brotli_bytes);
    }
    let is_it = |module: &&Module| module.file.rsplit('/').next() == Some(name);
    recipe.module.iter().find(is_it)?.budget_brotli_bytes
}

fn sum_or_larger(all: [u64; 3], more: [u64; 3], join: fn(u64, u64) -> u64) -> [u64; 3] {
    std::array::from_fn(|ix| join(all[ix], more[ix]))
}

fn print_row(weights: [u64; 3], name: &str) {
    let columns: Vec<String> = weights
        .into_iter()
        .map(|bytes| format!("{:>10}", grouped(bytes)))
        .collect();
    println!("  {}  {name}", columns.join(" "));
}
