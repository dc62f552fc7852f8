//! Measures a model on the GPU: `bench FILE|SHAPE:FORMAT [CONTEXT,…] [TOKENS] [SPLIT] [PRECISION]`.
//!
//! `PUNA_ADAPTER` names an adapter, or a part of its name.

use std::error::Error;
use std::time::Instant;

use puna_core::graph::Wanted;
use puna_core::model;
use puna_core::sampler::{Draw, Sampler, SamplingParams};
use puna_core::synthetic::Synthetic;
use puna_core::weights::gguf::{Gguf, Parsed};
use puna_core::weights::plan::Plan;
use puna_gpu::shader::variant::Precision;
use puna_gpu::split::Split;
use puna_gpu::{Executor, ExecutorOptions, Gpu, GpuOptions};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |ix: usize, default: &str| words.get(ix).map_or(default.to_owned(), Clone::clone);
    let name = word(0, "llama-3.2-1b:q4_0");
    let contexts = word(1, "0,512");
    let tokens: usize = word(2, "32").parse()?;
    let gpu = pollster::block_on(Gpu::request(&GpuOptions {
        adapter: std::env::var("PUNA_ADAPTER").ok().map(|name| {
            if name == "lavapipe" {
                "llvmpipe".to_owned()
            } else {
                name
            }
        }),
    }))?;
    println!("{} {:?}", gpu.info.name, gpu.capabilities);
    let split = match word(3, "auto").as_str() {
        "serial" => Some(Split::Serial),
        "shared" => Some(Split::Shared),
        _ => None,
    };
    let precision = if word(4, "f32") == "f16" {
        Precision::F16
    } else {
        Precision::F32
    };
    let options = ExecutorOptions {
        split,
        precision,
        ..ExecutorOptions::default()
    };
    pollster::block_on(run(gpu, &name, &contexts, tokens, options))
}

async fn run(
    gpu: Gpu,
    name: &str,
    contexts: &str,
    tokens: usize,
    options: ExecutorOptions,
) -> Result<()> {
    let start = Instant::now();
    let mut executor = load(gpu, name, options).await?;
    println!("load {:.0} ms", ms(start));
    let kernels = executor.kernels();
    println!(
        "{} dispatches a step, {:.1} MB",
        kernels.len(),
        kernels.iter().map(|k| k.weight_bytes).sum::<u64>() as f64 / 1e6
    );
    for context in contexts.split(',') {
        let context: usize = context.parse()?;
        let at_once = executor.max_tokens();
        let prompt: Vec<u32> = (0..context.max(1)).map(|i| (i * 7 % 200) as u32).collect();
        let start = Instant::now();
        let (last, before) = prompt.split_last().ok_or("no prompt")?;
        let mut position = 0;
        for chunk in before.chunks(at_once) {
            executor.forward(position, chunk, Wanted::None).await?;
            position += chunk.len();
        }
        if context > 1 {
            let time = ms(start);
            println!(
                "context {context}: prefill {:.1} tokens/s",
                1e3 * before.len() as f64 / time
            );
        }
        let sampler = Sampler::new(SamplingParams::greedy(), executor.graph().vocab_size)?;
        executor.start(&sampler);
        let mut id = *last;
        let mut start = Instant::now();
        for ix in 0..=tokens {
            if ix == 1 {
                start = Instant::now();
            }
            let draw = executor.sample(position, &[id], tokens - ix).await?;
            let Draw::Token(next) = draw else {
                return Err("a logit is not a number".into());
            };
            id = next;
            position += 1;
        }
        let time = ms(start) / tokens as f64;
        println!(
            "context {context}: decode {:.2} ms, {:.2} tokens/s",
            time,
            1e3 / time
        );
        // Kernels of a layer in the middle, and the head.
        let wanted: Vec<usize> = (0..kernels.len())
            .filter(|&ix| (6..11).contains(&ix) || ix + 1 == kernels.len() || ix == 0)
            .collect();
        for at in [1, 64] {
            for &ix in &wanted {
                executor.repeat(ix..ix + 1, context, at, 1).await?;
                let mut best = f64::INFINITY;
                for _ in 0..3 {
                    let start = Instant::now();
                    executor.repeat(ix..ix + 1, context, at, 4).await?;
                    best = best.min(ms(start) / 4.0);
                }
                println!(
                    "  T {at} {:<40} {best:.3} ms, {:.2} GB/s",
                    kernels[ix].label,
                    kernels[ix].weight_bytes as f64 / best / 1e6
                );
            }
        }
    }
    Ok(())
}

async fn load(gpu: Gpu, name: &str, options: ExecutorOptions) -> Result<Executor> {
    let bytes = if name.contains(':') {
        let mut bytes = Vec::new();
        Synthetic::named(name)?.write(|part| -> Result<()> {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        bytes
    } else {
        std::fs::read(name)?
    };
    let Parsed::Done(gguf) = Gguf::parse(&bytes)? else {
        return Err("the header is cut off".into());
    };
    let (_, graph) = model::open(&gguf)?;
    let plan = Plan::new(&gguf, bytes.len() as u64, 16 << 20)?;
    let mut executor = Executor::new(gpu, graph, gguf.tensors.len(), options).await?;
    for chunk in &plan.chunks {
        let slot = executor.upload_slot(u64::from(chunk.bytes));
        let start = usize::try_from(chunk.offset)?;
        let mut raw = bytes[start..start + chunk.bytes as usize].to_vec();
        raw.resize(raw.len().next_multiple_of(4), 0);
        executor.gpu().queue.write_buffer(&slot, 0, &raw);
        executor.upload(chunk, &slot)?;
    }
    executor.finish_upload().await?;
    Ok(executor)
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
