//! Measures a model on the GPU, natively: `bench FILE|SHAPE:FORMAT [CONTEXT,…] [TOKENS] [SPLIT] [PRECISION] [KV]`.
//!
//! SHAPE:FORMAT as `puna synthesize` takes it, CONTEXT the tokens in front of those that are timed (0,512), TOKENS how
//! many are (32), SPLIT auto, serial, shared or subgroup, PRECISION auto, f32 or f16. `PUNA_ADAPTER` is a part of the
//! adapter's name. KV f16, f32 or q8. PRECISION auto is f16 where the device has it, and lets inputs of prompts be rounded to 8 bits.
//! First the answer is checked: tokens drawn ahead must be those drawn one by one from logits, and so must those of several
//! answers in the same steps. Then the fastest ways to do projections are found. Each figure is the median of three, with the least and the largest; the bounds are a copy
//! and multiplications of the same run.

mod bound;

use std::error::Error;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use puna_core::graph::Wanted;
use puna_core::model;
use puna_core::places::{MOST_TOGETHER, Place, Places};
use puna_core::sampler::{Draw, Sampler, SamplingParams};
use puna_core::synthetic::Synthetic;
use puna_core::weights::header::{Header, Parsed};
use puna_core::weights::plan::Plan;
use puna_gpu::shader::variant::{KvType, Precision};
use puna_gpu::split::Split;
use puna_gpu::{Executor, ExecutorOptions, Gpu, GpuOptions};

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
            "usage: bench FILE|SHAPE:FORMAT [CONTEXT,…] [TOKENS] [SPLIT] [PRECISION] [KV]".into(),
        );
    };
    let contexts = word(1, "0,512");
    let contexts = contexts
        .split(',')
        .map(str::parse)
        .collect::<std::result::Result<Vec<usize>, _>>()?;
    let tokens: usize = word(2, "32").parse()?;
    let adapter = std::env::var("PUNA_ADAPTER").ok();
    let gpu = pollster::block_on(Gpu::request(&GpuOptions { adapter }))?;
    let known = Split::all(&gpu.capabilities);
    let split = match word(3, "auto").as_str() {
        "auto" => None,
        wanted => {
            let found = known.iter().find(|split| split.name() == wanted);
            Some(*found.ok_or_else(|| format!("this device has no split {wanted:?}"))?)
        }
    };
    let kv = match word(5, "f16").as_str() {
        "f16" => KvType::F16,
        "f32" => KvType::F32,
        "q8" => KvType::Q8,
        other => return Err(format!("there is no KV cache in {other:?}").into()),
    };
    let word = word(4, "auto");
    let precision = match word.as_str() {
        "auto" if gpu.capabilities.f16 && !gpu.capabilities.is_software => Precision::F16,
        "auto" => Precision::F32,
        "f32" => Precision::F32,
        "f16" => Precision::F16,
        other => return Err(format!("there is no precision {other:?}").into()),
    };
    let options = ExecutorOptions {
        split,
        precision,
        kv,
        rounds: word == "auto",
        max_logits: MOST_TOGETHER,
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
    let kv = options.kv.name();
    let mut executor = load(gpu.clone(), name, options).await?;
    let kernels = executor.kernels(0, 1);
    let bytes: u64 = kernels.iter().map(|kernel| kernel.weight_bytes).sum();
    println!(
        "{name}, {} {}, KV in {}: loaded in {:.0} ms; {:.1} MB of weights a token",
        executor.split().name(),
        executor.precision().name(),
        kv,
        ms(start),
        bytes as f64 / 1e6
    );
    println!(
        "dispatches_per_layer {}, in long contexts {}; besides 2 at both ends of a step, and 2 of the sampler",
        executor.dispatches_per_layer(0),
        executor.dispatches_per_layer(executor.context_length() - 1),
    );
    check(&mut executor).await?;
    tune(&mut executor).await?;
    check(&mut executor).await?;
    let copy = measure(async || bound::copy(&gpu).await).await?;
    let fma = measure(async || bound::fma(&gpu).await).await?;
    println!(
        "bounds: copy {} GB/s, fma {} TFLOP/s",
        shown(copy),
        shown(fma)
    );

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
        for count in [2, 4, MOST_TOGETHER] {
            let rate = async || together_rate(&mut executor, context, tokens, count).await;
            let together = measure(rate).await?;
            println!(
                "context {context}: {count} side by side {} tokens/s, {:.2} of one alone",
                shown(together),
                together[1] / decode[1]
            );
        }
        let encode = measure(async || Ok(executor.encode_ms(context, 16).await?)).await?;
        println!(
            "context {context}: {} ms of the host's a token",
            shown(encode)
        );
    }
    let last = contexts.iter().copied().max().unwrap_or(0);
    kernels_of(&mut executor, last, 1, copy[1], fma[1]).await?;
    let many = executor.max_tokens();
    kernels_of(&mut executor, last, many, copy[1], fma[1]).await
}

/// Times the kernels of a step of `tokens` tokens behind `context` others: those of the second layer, so that nothing is
/// special, if there is one, and of the head.
async fn kernels_of(
    executor: &mut Executor,
    context: usize,
    tokens: usize,
    copy: f64,
    fma: f64,
) -> Result<()> {
    let context = context.min(executor.context_length() - tokens);
    let kernels = executor.kernels(context, tokens);
    let layers = executor.graph().kv.layers;
    let each = (kernels.len() - 2) / layers;
    let first = 1 + each * usize::from(layers > 1);
    println!("kernels of {tokens} tokens behind {context}:");
    for ix in (first..first + each).chain([kernels.len() - 1]) {
        let kernel = &kernels[ix];
        let time = measure(async || {
            // Without what a submission and a read-back take.
            let mut several = async |times: usize| -> Result<f64> {
                let start = Instant::now();
                executor.repeat(ix..ix + 1, context, tokens, times).await?;
                Ok(ms(start))
            };
            let few = several(1).await?;
            Ok((several(9).await? - few) / 8.0)
        });
        let time = time.await?;
        let bytes = (kernel.weight_bytes + kernel.cache_bytes) as f64;
        let (rate, work) = (
            bytes / time[1] / 1e6,
            2.0 * kernel.products as f64 / time[1] / 1e9,
        );
        println!(
            "  {:<44} {:<18} {} ms, {rate:.2} GB/s ({:.0} % of the copy), {work:.3} TFLOP/s ({:.0} % of fma)",
            kernel.label,
            kernel.way,
            shown(time),
            100.0 * rate / copy,
            100.0 * work / fma
        );
    }
    Ok(())
}

/// Finds the fastest ways, and says what it has found.
async fn tune(executor: &mut Executor) -> Result<()> {
    while let Some(found) = executor.tune(0, &|| true).await? {
        println!("{}: {}", found.job, found.chosen);
        for (way, verdict) in found.ways {
            match verdict {
                Ok(ms) => println!("  {way:<20} {ms:.4} ms"),
                Err(why) => println!("  {way:<20} refused: {why}"),
            }
        }
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
        let id = sampler.sample(logits, None)?;
        sampler.accept(id);
        position += ids.len();
        plain.push(id);
        ids = vec![id];
    }
    let ahead = drawn(executor, 0, &prompt, CHECKED).await?;
    if ahead != plain {
        return Err(format!("wrong: {ahead:?} were drawn ahead, {plain:?} one by one").into());
    }
    let count = executor.most_together();
    let position = prompt.len() - 1;
    for first_row in rows(executor, count) {
        let place = Place {
            first_row,
            position: 0,
        };
        let ids = &prompt[..position];
        executor.forward(place, ids, Wanted::None).await?;
    }
    let last = prompt[position];
    for answer in side_by_side(executor, position, last, CHECKED, count).await? {
        if answer != plain {
            return Err(format!("wrong: {answer:?} beside others, {plain:?} alone").into());
        }
    }
    Ok(())
}

/// Where so many conversations begin in the cache.
fn rows(executor: &Executor, count: usize) -> impl Iterator<Item = usize> + use<> {
    let each = executor.most_rows() / count;
    (0..count).map(move |seat| seat * each)
}

/// The likeliest tokens of so many answers in the same steps, each behind `id` at `position`.
async fn side_by_side(
    executor: &mut Executor,
    position: usize,
    id: u32,
    tokens: usize,
    count: usize,
) -> Result<Vec<Vec<u32>>> {
    let sampler = Sampler::new(SamplingParams::greedy(), executor.graph().vocab_size)?;
    executor.start(&vec![&sampler; count]).await?;
    let mut out = vec![Vec::new(); count];
    let mut ids = vec![id; count];
    for made in 0..tokens {
        let place = |first_row| Place {
            first_row,
            position: position + made,
        };
        let places: Vec<_> = rows(executor, count).map(place).collect();
        let more = tokens - made - 1;
        let draws = executor.sample(Places::each(&places), &ids, more).await?;
        for ((draw, id), out) in draws.into_iter().zip(&mut ids).zip(&mut out) {
            let Draw::Token(drawn) = draw else {
                return Err("a logit is not a number".into());
            };
            *id = drawn;
            out.push(drawn);
        }
    }
    Ok(out)
}

/// Tokens a second of so many answers together, each behind `context` tokens of its own.
async fn together_rate(
    executor: &mut Executor,
    context: usize,
    tokens: usize,
    count: usize,
) -> Result<f64> {
    let room = executor.most_rows() / count;
    let position = context.min(room.saturating_sub(tokens + 1));
    let start = Instant::now();
    side_by_side(executor, position, 7, tokens, count).await?;
    Ok((tokens * count) as f64 / ms(start) * 1e3)
}

/// The likeliest tokens behind `ids` at `position`.
async fn drawn(
    executor: &mut Executor,
    mut position: usize,
    ids: &[u32],
    tokens: usize,
) -> Result<Vec<u32>> {
    let sampler = Sampler::new(SamplingParams::greedy(), executor.graph().vocab_size)?;
    executor.start(&[&sampler]).await?;
    let mut out = Vec::new();
    let mut ids = ids.to_vec();
    while out.len() < tokens {
        let more = tokens - out.len() - 1;
        let [Draw::Token(id)] = executor.sample(position, &ids, more).await?[..] else {
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
    let Parsed::Done(header) = Header::from_gguf(&bytes)? else {
        return Err(format!("{name}: the header is cut off").into());
    };
    let (_, graph) = model::open(&header)?;
    let plan = Plan::new(&header, bytes.len() as u64, 16 << 20)?;
    let mut executor = Executor::new(gpu, graph, header.tensors.len(), options).await?;
    for chunk in &plan.chunks {
        let slot = executor.upload_slot(u64::from(chunk.bytes));
        let start = usize::try_from(chunk.offset)?;
        let mut raw = bytes[start..start + chunk.bytes as usize].to_vec();
        raw.resize(raw.len().next_multiple_of(4), 0);
        executor.gpu().queue.write_buffer(&slot, 0, &raw);
        let part = |range: Range<usize>| bytes[start + range.start..start + range.end].to_vec();
        executor.upload(chunk, &slot, &part)?;
    }
    executor.finish_upload().await?;
    Ok(executor)
}

fn ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
