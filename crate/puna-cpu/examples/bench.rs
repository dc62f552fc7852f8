//! The executor as the bench asks for it (`tests/bench/process.mjs`): reads a GGUF, then answers a line of JSON with two.
//!
//! `bench MODEL THREADS END_ID[,END_ID]`, of which an answer never takes the ids.

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::time::Instant;

use puna_core::model;
use puna_core::tokenizer::{Special, Tokenizer};
use puna_core::weights::header::{Header, Parsed};
use puna_core::weights::plan::Plan;
use puna_cpu::{Executor, ExecutorOptions, Wanted};
use serde_json::{Value, json};

/// Bytes that are taken apart at once.
const CHUNK_BYTES: u32 = 4 << 20;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A model that is ready to answer.
struct Model {
    executor: Executor,
    tokenizer: Tokenizer,
    /// Ids that no answer takes.
    never: Vec<usize>,
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, threads, never] = words.as_slice() else {
        return Err("usage: bench MODEL THREADS END_ID[,END_ID]".into());
    };
    let never = never
        .split(',')
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    let start = Instant::now();
    let options = ExecutorOptions {
        threads: threads.parse()?,
        ..ExecutorOptions::default()
    };
    let mut model = Model::read(path, options, never)?;
    say(&json!({
        "event": "ready",
        "ms": ms_since(start),
        "facts": { "threads": options.threads, "simd": options.simd.name() },
    }))?;
    for line in std::io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let prompt = question["prompt"].as_str().ok_or("no prompt")?;
        let tokens = question["tokens"].as_u64().ok_or("no number of tokens")?;
        let answer = model.answer(prompt, tokens, options.limits.max_tokens as usize)?;
        say(&json!({ "event": "done", "answer": answer }))?;
    }
    Ok(())
}

impl Model {
    fn read(path: &str, options: ExecutorOptions, never: Vec<usize>) -> Result<Self> {
        let bytes = std::fs::read(path)
            .map_err(|error| format!("{path}: {error}; `cargo xtask model` fetches the model"))?;
        let Parsed::Done(header) = Header::from_gguf(&bytes)? else {
            return Err(format!("{path}: the header is cut off").into());
        };
        let (_, graph) = model::open(&header)?;
        let plan = Plan::new(&header, bytes.len() as u64, CHUNK_BYTES)?;
        let mut executor = Executor::new(graph, header.tensors.len(), options)?;
        for chunk in &plan.chunks {
            let start = usize::try_from(chunk.offset)?;
            let bytes = bytes
                .get(start..start + chunk.bytes as usize)
                .ok_or_else(|| format!("{path}: the file is cut off"))?;
            executor.upload(&chunk.pieces, bytes)?;
        }
        Ok(Self {
            executor,
            tokenizer: Tokenizer::from_gguf(&header.metadata)?,
            never,
        })
    }

    /// So many tokens, each the likeliest; says when the first is there.
    fn answer(&mut self, prompt: &str, tokens: u64, at_once: usize) -> Result<Value> {
        let start = Instant::now();
        let prompted = self.tokenizer.encode(prompt, Special::AsText)?;
        let mut position = 0;
        let mut last = 0;
        for ids in prompted.chunks(at_once) {
            let is_end = position + ids.len() == prompted.len();
            let wanted = if is_end { Wanted::Last } else { Wanted::None };
            let logits = self.executor.forward(position, ids, wanted)?;
            position += ids.len();
            if is_end {
                last = likeliest(logits, &self.never)?;
            }
        }
        let first = Instant::now();
        say(&json!({ "event": "first" }))?;
        let mut ids = vec![last];
        for position in (position..).take(usize::try_from(tokens)?.saturating_sub(1)) {
            let logits = self.executor.forward(position, &[last], Wanted::Last)?;
            last = likeliest(logits, &self.never)?;
            ids.push(last);
        }
        let decode_ms = ms_since(first);
        Ok(json!({
            "promptTokens": prompted.len(),
            "tokens": ids.len(),
            "text": self.tokenizer.decode(&ids),
            "firstMs": first.duration_since(start).as_secs_f64() * 1e3,
            "decodeMs": decode_ms,
        }))
    }
}

/// The id of the largest of `logits` (V,) that is not one of `never`.
fn likeliest(logits: &[f32], never: &[usize]) -> Result<u32> {
    let ids = (0..logits.len()).filter(|id| !never.contains(id));
    let best = ids.max_by(|&a, &b| logits[a].total_cmp(&logits[b]));
    Ok(best.ok_or("no logits")?.try_into()?)
}

fn ms_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

fn say(event: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{event}")?;
    Ok(out.flush()?)
}
