//! What a visitor fetches: raw, gzip and brotli bytes of the wasm and its JS, held to the budget.

use std::path::PathBuf;

use serde_json::Value;

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

/// Prints what the wasm and JS files among `files` weigh, of alternatives the heaviest; fails above the budget.
pub(super) fn check(files: &[PathBuf], budget_brotli_bytes: u64) -> Result<()> {
    let mut files = files.to_vec();
    files.retain(|file| {
        file.extension()
            .is_some_and(|kind| kind == "wasm" || kind == "js")
    });
    let printed = Tool::new("node")
        .args(["-e", COMPRESS])
        .args(&files)
        .text()?;
    let weights: Vec<Vec<u64>> = serde_json::from_str::<Value>(&printed)
        .and_then(serde_json::from_value)
        .explain(|| "node did not say what the files weigh")?;

    println!("  {:>10} {:>10} {:>10}", "raw", "gzip", "brotli");
    let (mut total, mut heaviest) = ([0, 0, 0], [0, 0, 0]);
    for (file, weights) in files.iter().zip(&weights) {
        print_row(weights, &shown(file));
        let is_alternative = file
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(ALTERNATIVES));
        for (i, &weight) in weights.iter().take(3).enumerate() {
            if is_alternative {
                heaviest[i] = weight.max(heaviest[i]);
            } else {
                total[i] += weight;
            }
        }
    }
    for (sum, weight) in total.iter_mut().zip(heaviest) {
        *sum += weight;
    }
    let budget = format!("together (brotli budget {})", grouped(budget_brotli_bytes));
    print_row(&total, &budget);

    let [_, _, brotli] = total;
    if brotli > 0 && brotli <= budget_brotli_bytes {
        return Ok(());
    }
    Err(Failure::new(format!(
        "wasm and JS weigh {} bytes (brotli), the budget in wasm-pack.toml is {}: find what grew (cargo tree, twiggy) before \
         raising it",
        grouped(brotli),
        grouped(budget_brotli_bytes)
    )))
}

fn print_row(weights: &[u64], name: &str) {
    let columns: Vec<String> = weights
        .iter()
        .map(|&bytes| format!("{:>10}", grouped(bytes)))
        .collect();
    println!("  {}  {name}", columns.join(" "));
}
