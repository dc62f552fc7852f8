//! Real models on the GPU, against an independent implementation in exact arithmetic.
#![allow(
    clippy::cast_possible_truncation,
    reason = "numbers of the golden files are small"
)]

#[path = "../../../tests/native/real.rs"]
mod real;
mod support;

use puna_gpu::choices::Choices;
use puna_gpu::shader::variant::{KvType, Precision};
use puna_gpu::split::{Split, Width};
use puna_gpu::way::{RowsSplit, Way};
use puna_gpu::{Executor, ExecutorOptions, Wanted};
use real::{OTHERS, Prompt, Real, SMOLLM2};
use support::is_full;

const CHUNK: usize = 64;

/// What the golden folder's README allows.
#[derive(Clone, Copy)]
struct Tolerance {
    logits: f64,
    /// Greedy ids are equal as long as the best logit leads by more than this.
    margin: f64,
    /// Greedy steps of a quick run; a full one takes all that were recorded.
    steps: usize,
}

const F32: Tolerance = Tolerance {
    logits: 0.002,
    margin: 0.01,
    steps: usize::MAX,
};
const F32_MEAN_NLL: f64 = 1e-4;
const F16: Tolerance = Tolerance {
    logits: 0.1,
    margin: 0.15,
    steps: 12,
};

/// Keys and values have a scale each 32 of them.
const KV_IN_8_BITS: Tolerance = Tolerance {
    logits: 0.4,
    margin: 0.4,
    steps: 12,
};

/// Of 0.0015 that was found: a ratio of perplexities of 1.0015.
const KV_IN_8_BITS_MEAN_NLL: f64 = 4e-3;

/// Inputs of prompts have a scale each half block. Of 0.28 that was found.
const ROUNDED: Tolerance = Tolerance {
    logits: 0.5,
    margin: 0.5,
    steps: 4,
};

/// Of 2e-5 that was found: how roundings add up differs from device to device.
const ROUNDED_MEAN_NLL: f64 = 1e-3;

fn executor(precision: Precision, kv: KvType, max_logits: usize) -> Executor {
    load(
        &SMOLLM2,
        ExecutorOptions {
            precision,
            kv,
            max_logits,
            ..ExecutorOptions::default()
        },
    )
}

fn load(model: &Real, options: ExecutorOptions) -> Executor {
    let options = ExecutorOptions {
        max_tokens: CHUNK,
        ..options
    };
    support::load(
        support::gpu(),
        &model.path(&support::root()),
        4 << 20,
        options,
    )
}

async fn prefill(executor: &mut Executor, ids: &[u32]) -> Vec<f32> {
    let last = ids.len().div_ceil(CHUNK) - 1;
    for (ix, chunk) in ids.chunks(CHUNK).enumerate() {
        let wanted = if ix == last {
            Wanted::Last
        } else {
            Wanted::None
        };
        let logits = executor
            .forward(ix * CHUNK, chunk, wanted)
            .await
            .expect("logits");
        if ix == last {
            return logits.to_vec();
        }
    }
    unreachable!("the last chunk returns")
}

fn argmax(logits: &[f32]) -> u32 {
    let best = logits
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.total_cmp(b.1))
        .expect("logits");
    best.0 as u32
}

async fn check_prompt(executor: &mut Executor, prompt: &Prompt, tolerance: Tolerance) {
    let (name, ids) = (&prompt.name, &prompt.ids);
    let mut logits = prefill(executor, ids).await;
    let worst = prompt.worst(&logits);
    println!("{name}: {} tokens, top 20 logits {worst:.5} off", ids.len());
    assert!(
        worst <= tolerance.logits,
        "{name}: a logit is {worst} off, at most {} allowed",
        tolerance.logits
    );

    // Each step is a part of a second on lavapipe, and more on SwiftShader.
    let steps = match (is_full(), is_slow()) {
        (true, _) => usize::MAX,
        (false, true) => tolerance.steps.min(6),
        (false, false) => tolerance.steps.min(10),
    };
    for (step, &(want, margin)) in prompt.greedy.iter().enumerate().take(steps) {
        if margin <= tolerance.margin {
            println!("{name}: step {step} is too close to call");
            return;
        }
        assert_eq!(argmax(&logits), want, "{name}: greedy step {step}");
        logits = executor
            .forward(ids.len() + step, &[want], Wanted::Last)
            .await
            .expect("logits")
            .to_vec();
    }
}

fn check_prompts(model: &Real, mut executor: Executor, tolerance: Tolerance, names: &[&str]) {
    pollster::block_on(async {
        for prompt in model.prompts(&support::root()) {
            if names.is_empty() || names.contains(&prompt.name.as_str()) {
                check_prompt(&mut executor, &prompt, tolerance).await;
            }
        }
    });
}

fn check_perplexity(model: &Real, mut executor: Executor, mean_nll: f64) {
    let real::Text {
        ids,
        mean_nll: want,
    } = model.text(&support::root());
    let vocab = executor.graph().vocab_size;
    let mut total = 0.0;
    pollster::block_on(async {
        for (ix, chunk) in ids.chunks(CHUNK).enumerate() {
            let logits = executor
                .forward(ix * CHUNK, chunk, Wanted::All)
                .await
                .expect("logits");
            for (t, logits) in logits.chunks_exact(vocab).enumerate() {
                let Some(&next) = ids.get(ix * CHUNK + t + 1) else {
                    break;
                };
                total += real::nll(logits, next);
            }
        }
    });
    let mean = total / (ids.len() - 1) as f64;
    println!("mean negative log likelihood {mean:.6}, expected {want:.6}");
    assert!(
        (mean - want).abs() <= mean_nll,
        "mean negative log likelihood {mean}, expected {want} ± {mean_nll}",
    );
}

/// `SwiftShader` takes minutes where lavapipe takes seconds.
fn is_slow() -> bool {
    std::env::var("PUNA_ADAPTER").is_ok_and(|name| name == "swiftshader")
}

#[test]
fn prompts_and_greedy_ids_hold_in_f32() {
    let names: &[&str] = if is_slow() && !is_full() {
        &["short"]
    } else {
        &[]
    };
    check_prompts(
        &SMOLLM2,
        executor(Precision::F32, KvType::F32, 1),
        F32,
        names,
    );
}

#[test]
fn short_prompts_hold_with_a_cache_in_f16() {
    let names: &[&str] = if is_slow() && !is_full() {
        &["short"]
    } else {
        &["short", "about30", "chat"]
    };
    check_prompts(
        &SMOLLM2,
        executor(Precision::F32, KvType::F16, 1),
        F16,
        names,
    );
}

#[test]
fn prompts_hold_with_a_cache_in_8_bits() {
    let names: &[&str] = if is_slow() && !is_full() {
        &["short"]
    } else {
        &["about30", "chat"]
    };
    check_prompts(
        &SMOLLM2,
        executor(Precision::F32, KvType::Q8, 1),
        KV_IN_8_BITS,
        names,
    );
}

#[test]
fn short_prompts_hold_in_f16_where_the_device_has_it() {
    if support::gpu().capabilities.f16 {
        // A software adapter's compiler and arithmetic take minutes for f16.
        let names: &[&str] = if is_full() {
            &["short", "about30", "chat"]
        } else {
            &["short"]
        };
        check_prompts(
            &SMOLLM2,
            executor(Precision::F16, KvType::F16, 1),
            F16,
            names,
        );
    } else {
        // SwiftShader alone lacks it: any other adapter without f16 would be news.
        assert!(
            is_slow(),
            "this adapter has no f16, and lavapipe should have it"
        );
    }
}

/// As the fast ways of prompts do on GPUs.
fn rounded(max_logits: usize) -> Executor {
    let way = Way {
        rows: RowsSplit::Int8 {
            units: 32,
            groups: 8,
        },
        precision: Precision::F32,
    };
    load(
        &SMOLLM2,
        ExecutorOptions {
            split: Some(Split::Shared),
            kv: KvType::F32,
            max_logits,
            rounds: true,
            choices: Choices::all(Width::Many, way),
            ..ExecutorOptions::default()
        },
    )
}

#[test]
fn prompts_hold_with_inputs_rounded_to_8_bits() {
    if !is_slow() || is_full() {
        check_prompts(&SMOLLM2, rounded(1), ROUNDED, &["about30", "chat"]);
    }
}

/// The head for each of hundreds of tokens takes a software adapter minutes: the quick run has the prompts.
#[test]
fn perplexity_holds() {
    if is_full() {
        check_perplexity(
            &SMOLLM2,
            executor(Precision::F32, KvType::F32, CHUNK),
            F32_MEAN_NLL,
        );
        check_perplexity(&SMOLLM2, rounded(CHUNK), ROUNDED_MEAN_NLL);
        check_perplexity(
            &SMOLLM2,
            executor(Precision::F32, KvType::Q8, CHUNK),
            KV_IN_8_BITS_MEAN_NLL,
        );
    }
}

#[test]
fn the_others_hold_in_f32() {
    if !is_full() {
        return;
    }
    for model in &OTHERS {
        println!("{}", model.name());
        let options = || ExecutorOptions {
            kv: KvType::F32,
            max_logits: CHUNK,
            ..ExecutorOptions::default()
        };
        let tolerance = Tolerance {
            logits: F32.logits * model.slack,
            margin: F32.margin * model.slack,
            ..F32
        };
        check_prompts(model, load(model, options()), tolerance, &[]);
        check_perplexity(model, load(model, options()), F32_MEAN_NLL * model.slack);
    }
}
