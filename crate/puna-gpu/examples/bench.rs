//! Measures a model on the GPU, natively: `bench FILE|SHAPE:FORMAT [CONTEXT,…] [TOKENS] [SPLIT] [PRECISION]`.
//!
//! SHAPE:FORMAT as `puna synthesize` takes it, CONTEXT the tokens in front of those that are timed (0,512), TOKENS how
//! many are (32), SPLIT auto, serial, shared or subgroup, PRECISION f32 or f16. `PUNA_ADAPTER` is a part of the
//! adapter's name. First the answer is checked: tokens drawn ahead must be those drawn one by one from logits.
//! Each figure is the median of three, with the least and the largest; the bound is a copy of the same run.

use std::error::Error;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use puna_core::graph::Wanted;
use puna_core::model;
use puna_core::sampler::{Draw, Sampler, SamplingParams};
use puna_core::synthetic::Synthetic;
use puna_core::weights::gguf::{Gguf, Parsed};
use puna_core::weights::plan::Plan;
use puna_gpu::readback::Readback;
use puna_gpu::shader::variant::Precision;
use puna_gpu::split::Split;
use puna_gpu::{Executor, ExecutorOptions, Gpu, GpuOptions};

/// Bytes that the bound copies.
const COPY_BYTES: u64 = 128 << 20;
/// How often each thing is measured.
const ROUNDS: usize = 3;
/// Tokens that are checked.
const CHECKED: usize = 8;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |ix: usize, default: &str| words.get(ix).map_or(default.to_owned(), Clone::clone);
    let Some(name) = words.first() else {
        return Err(
            "usage: bench FILE|SHAPE:FORMAT [CONTEXT,…] [TOKENS] [SPLIT] [PRECISION]".into(),
        );
    };
    let contexts = word(1, "0,512");
    let contexts = contexts
        .split(',')
        .map(str::parse)
        .collect::<std::result::Result<Vec<usize>, _>>()?;
    let tokens: usize = word(2, "32").parse()?;
    // lavapipe's adapter calls itself by its compiler.
    let adapter = std::env::var("PUNA_ADAPTER").ok();
    let adapter = adapter.map(|name| name.replace("lavapipe", "llvmpipe"));
    let gpu = pollster::block_on(Gpu::request(&GpuOptions { adapter }))?;
    let known = Split::all(&gpu.capabilities);
    let split = match word(3, "auto").as_str() {
        "auto" => None,
        wanted => {
            let found = known.iter().find(|split| split.name() == wanted);
            Some(*found.ok_or_else(|| format!("this device has no split {wanted:?}"))?)
        }
    };
    let precision = match word(4, "f32").as_str() {
        "f32" => Precision::F32,
        "f16" => Precision::F16,
        other => return Err(format!("there is no precision {other:?}").into()),
    };
    let options = ExecutorOptions {
        split,
        precision,
        ..ExecutorOptions::default()
    };
    pollster::block_on(run(gpu, name, &contexts, tokens, options))
}

async fn run(
    gpu: Gpu,
    name: &str,
    contexts: &[usize],
    tokens: usize,
    options: ExecutorOptions,
) -> Result<()> {
    println!("{} ({})", gpu.info.name, gpu.info.driver_info);
    let start = Instant::now();
    let mut executor = load(gpu.clone(), name, options).await?;
    let kernels = executor.kernels(0, 1);
    let bytes: u64 = kernels.iter().map(|kernel| kernel.weight_bytes).sum();
    println!(
        "{name}, {} {}: loaded in {:.0} ms; {:.1} MB of weights a token",
        executor.split().name(),
        executor.precision().name(),
        ms(start),
        bytes as f64 / 1e6
    );
    println!(
        "dispatches_per_layer {}, in long contexts {}; besides 2 at both ends of a step, and 2 of the sampler",
        executor.dispatches_per_layer(0),
        executor.dispatches_per_layer(executor.context_length() - 1),
    );
    check(&mut executor).await?;
    let copy = measure(async || {
        let time = copy_ms(&gpu).await?;
        Ok(2.0 * COPY_BYTES as f64 / time / 1e6)
    })
    .await?;
    println!("copy {} GB/s", shown(copy));

    for &context in contexts {
        let prefill = measure(async || prefill_rate(&mut executor, context).await).await?;
        if context > 1 {
            println!("context {context}: prefill {} tokens/s", shown(prefill));
        }
        let counters = executor.gpu().counters.clone();
        let count = |counter: &AtomicU32| f64::from(counter.load(Ordering::Relaxed));
        let before = (count(&counters.submits), count(&counters.steps));
        let decode = measure(async || decode_rate(&mut executor, context, tokens).await).await?;
        let submits = (count(&counters.submits) - before.0) / (count(&counters.steps) - before.1);
        println!(
            "context {context}: decode {} tokens/s, {:.0} % of the copy's GB/s, {submits:.2} submissions a token",
            shown(decode),
            100.0 * decode[1] * bytes as f64 / 1e9 / copy[1]
        );
    }
    // The second layer, so that nothing is special; and the head.
    let each = (kernels.len() - 2) / executor.graph().kv.layers;
    let wanted = (1 + each..1 + 2 * each).chain([kernels.len() - 1]);
    for ix in wanted {
        let kernel = &kernels[ix];
        let mut cells = Vec::new();
        for at_once in [1, executor.max_tokens()] {
            let time = measure(async || {
                let start = Instant::now();
                executor.repeat(ix..ix + 1, 0, at_once, 4).await?;
                Ok(ms(start) / 4.0)
            });
            cells.push(time.await?);
        }
        println!(
            "{:<50} {} ms, {:.2} GB/s; for {} tokens {} ms",
            kernel.label,
            shown(cells[0]),
            kernel.weight_bytes as f64 / cells[0][1] / 1e6,
            executor.max_tokens(),
            shown(cells[1])
        );
    }
    Ok(())
}

/// Tokens drawn ahead are those drawn one by one.
async fn check(executor: &mut Executor) -> Result<()> {
    let prompt = [1, 7, 3, 5];
    let vocab = executor.graph().vocab_size;
    let mut plain = Vec::new();
    let mut sampler = Sampler::new(SamplingParams::greedy(), vocab)?;
    let mut ids = prompt.to_vec();
    let mut position = 0;
    while plain.len() < CHECKED {
        let logits = executor.forward(position, &ids, Wanted::Last).await?;
        let id = sampler.sample(logits)?;
        sampler.accept(id);
        position += ids.len();
        plain.push(id);
        ids = vec![id];
    }
    let ahead = drawn(executor, 0, &prompt, CHECKED).await?;
    if ahead != plain {
        return Err(format!("wrong: {ahead:?} were drawn ahead, {plain:?} one by one").into());
    }
    Ok(())
}

/// The likeliest tokens behind `ids` at `position`.
async fn drawn(
    executor: &mut Executor,
    mut position: usize,
    ids: &[u32],
    tokens: usize,
) -> Result<Vec<u32>> {
    let sampler = Sampler::new(SamplingParams::greedy(), executor.graph().vocab_size)?;
    executor.start(&sampler);
    let mut out = Vec::new();
    let mut ids = ids.to_vec();
    while out.len() < tokens {
        let more = tokens - out.len() - 1;
        let Draw::Token(id) = executor.sample(position, &ids, more).await? else {
            return Err("a logit is not a number".into());
        };
        position += ids.len();
        out.push(id);
        ids = vec![id];
    }
    Ok(out)
}

/// Tokens a second of a prompt of `context`.
async fn prefill_rate(executor: &mut Executor, context: usize) -> Result<f64> {
    let prompt: Vec<u32> = (0..200).cycle().step_by(7).take(context).collect();
    let start = Instant::now();
    let mut position = 0;
    while position < context {
        let end = context.min(position + executor.chunk_tokens());
        // An answer wants the logits of the last token, and waits for them.
        let wanted = if end < context {
            Wanted::None
        } else {
            Wanted::Last
        };
        executor
            .forward(position, &prompt[position..end], wanted)
            .await?;
        position = end;
    }
    Ok(context as f64 / ms(start) * 1e3)
}

/// Tokens a second behind `context` others.
async fn decode_rate(executor: &mut Executor, context: usize, tokens: usize) -> Result<f64> {
    // The first token is not of the steps that are timed.
    let first = drawn(executor, context, &[1], 1).await?;
    let start = Instant::now();
    drawn(executor, context + 1, &first, tokens).await?;
    Ok(tokens as f64 / ms(start) * 1e3)
}

async fn copy_ms(gpu: &Gpu) -> Result<f64> {
    let usage = wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
    let [from, to] = ["from", "to"].map(|label| gpu.buffer(label, COPY_BYTES, usage));
    let readback = Readback::new(gpu, 16, None);
    let copies = async |times: usize| -> Result<f64> {
        let start = Instant::now();
        let mut encoder = gpu
            .device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        for _ in 0..times {
            encoder.copy_buffer_to_buffer(&from, 0, &to, 0, COPY_BYTES);
        }
        readback.copy(&mut encoder, &to, 16);
        gpu.queue.submit([encoder.finish()]);
        readback.read(gpu, 16, &mut Vec::new()).await?;
        Ok(ms(start))
    };
    copies(1).await?;
    // Without what a submission and a read-back take.
    Ok((copies(9).await? - copies(1).await?) / 8.0)
}

/// Least, median and largest of some runs.
async fn measure(mut run: impl AsyncFnMut() -> Result<f64>) -> Result<[f64; ROUNDS]> {
    let mut found = [0.0; ROUNDS];
    for value in &mut found {
        *value = run().await?;
    }
    found.sort_by(f64::total_cmp);
    Ok(found)
}

fn shown([least, median, most]: [f64; ROUNDS]) -> String {
    format!("{median:.2} ({least:.2}-{most:.2})")
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
        std::fs::read(name).map_err(|error| format!("{name}: {error}"))?
    };
    let Parsed::Done(gguf) = Gguf::parse(&bytes)? else {
        return Err(format!("{name}: the header is cut off").into());
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
