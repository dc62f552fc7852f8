//! Whole models against an independent implementation: activations rounded to 8 bits are within what its own
//! 8-bit kernels show.

#[path = "../../../tests/native/real.rs"]
mod real;
mod support;

use puna_cpu::{Executor, ExecutorOptions, Simd, Wanted};
use real::{OTHERS, Real, SMOLLM2};

/// Tokens of a call.
const CHUNK: usize = 64;
/// What the golden folder's README allows for activations rounded to 8 bits.
const LOGITS: f64 = 0.9;
const MEAN_NLL: f64 = 6e-3;

fn executor(model: &Real, threads: usize) -> Executor {
    let options = ExecutorOptions {
        simd: Simd::best(),
        threads,
        ..ExecutorOptions::default()
    };
    support::load(&model.path(&support::root()), 4 << 20, options)
}

#[test]
fn logits_of_every_prompt_are_close() {
    check_prompts(&SMOLLM2, 1);
}

#[test]
fn logits_are_close_on_threads() {
    check_prompts(&SMOLLM2, 3);
}

fn check_prompts(model: &Real, threads: usize) {
    let mut executor = executor(model, threads);
    for prompt in model.prompts(&support::root()) {
        let (name, ids) = (&prompt.name, &prompt.ids);
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
        let worst = prompt.worst(&logits);
        println!("{name}: {} tokens, top 20 logits {worst:.4} off", ids.len());
        assert!(
            worst <= LOGITS,
            "{name}: a logit is {worst} off, at most {LOGITS} allowed"
        );
    }
}

#[test]
fn perplexity_holds() {
    check_perplexity(&SMOLLM2);
}

#[test]
fn the_others_hold() {
    if std::env::var_os("PUNA_FULL").is_some() {
        for model in &OTHERS {
            println!("{}", model.name());
            check_prompts(model, 2);
            check_perplexity(model);
        }
    }
}

fn check_perplexity(model: &Real) {
    let real::Text {
        ids,
        mean_nll: want,
    } = model.text(&support::root());
    let mut executor = executor(model, 2);
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
            total += real::nll(logits, next);
        }
    }
    let mean = total / (ids.len() - 1) as f64;
    println!("mean negative log likelihood {mean:.6}, expected {want:.6}");
    assert!(
        (mean - want).abs() <= MEAN_NLL,
        "mean negative log likelihood {mean}, expected {want} ± {MEAN_NLL}"
    );
}
