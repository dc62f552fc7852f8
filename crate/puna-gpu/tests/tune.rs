//! The ways that a device turns out to be fast in: they are found, kept, and compute the same.

mod support;

use std::path::PathBuf;

use puna_gpu::choices::Choices;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Split;
use puna_gpu::{Executor, ExecutorOptions, Wanted};

fn path() -> PathBuf {
    support::root().join("tests/golden/llama-256/llama-256-Q4_1.gguf")
}

fn executor(split: Split, choices: Choices) -> Executor {
    let options = ExecutorOptions {
        split: Some(split),
        kv: KvType::F32,
        rounds: true,
        choices,
        ..ExecutorOptions::default()
    };
    support::load(support::gpu(), &path(), 64 << 10, options)
}

/// Logits behind a prompt of a few tiles, and behind one token more.
fn logits(executor: &mut Executor) -> Vec<f32> {
    let prompt: Vec<u32> = (0..90).map(|ix| ix * 7 % 300).collect();
    pollster::block_on(async {
        let first = executor.forward(0, &prompt, Wanted::Last).await;
        let mut all = first.expect("logits").to_vec();
        let second = executor.forward(prompt.len(), &[3], Wanted::Last).await;
        all.extend_from_slice(second.expect("logits"));
        all
    })
}

/// Mean square difference, in units of the mean square.
fn off(got: &[f32], want: &[f32]) -> f32 {
    let pairs = got.iter().zip(want);
    let error: f32 = pairs.map(|(a, b)| (a - b) * (a - b)).sum();
    error / want.iter().map(|x| x * x).sum::<f32>()
}

#[test]
fn every_job_gets_a_way_and_the_answers_stay_what_they_were() {
    let mut executor = executor(Split::Shared, Choices::default());
    let before = logits(&mut executor);
    let jobs = executor.untuned();
    assert_eq!(
        jobs, 7,
        "of one token qkv, both linear_add, glu and head; of many all but the head"
    );
    let mut tuned = Vec::new();
    while let Some(found) =
        pollster::block_on(executor.tune(91, &|| true)).expect("the device works")
    {
        println!("{found:?}");
        assert!(
            found.ways.iter().all(|(_, verdict)| verdict.is_ok()),
            "a way that is among the cases is good here: {found:?}"
        );
        tuned.push(found);
        assert_eq!(executor.untuned(), jobs - tuned.len(), "one at a time");
    }
    assert_eq!(tuned.len(), jobs, "{tuned:?}");
    assert!(
        tuned.iter().all(|found| found.ways.len() >= 3),
        "what was compared: {tuned:?}"
    );

    // The prompt's keys and values are still there.
    let kept = pollster::block_on(executor.forward(90, &[3], Wanted::Last));
    let kept = off(kept.expect("logits"), &before[384..]);
    assert!(kept < 1e-6, "the cache was written to: {kept}");
    let after = off(&logits(&mut executor), &before);
    assert!(after < 1e-3, "{after}");

    let text = executor.choices().to_text();
    let mut next = self::executor(Split::Shared, Choices::parse(&text));
    assert_eq!(next.untuned(), 0, "nothing is measured twice:\n{text}");
    let again = off(&logits(&mut next), &logits(&mut executor));
    assert!(again == 0.0, "the same ways give the same: {again}");
}

#[test]
fn who_has_something_better_to_do_is_not_kept_waiting() {
    let mut executor = executor(Split::Shared, Choices::default());
    let jobs = executor.untuned();
    let asked = std::cell::Cell::new(0);
    let patience = || {
        asked.set(asked.get() + 1);
        asked.get() < 5
    };
    let found = pollster::block_on(executor.tune(0, &patience)).expect("the device works");
    assert!(found.is_none(), "{found:?}");
    assert_eq!((asked.get(), executor.untuned()), (5, jobs));
}

#[test]
fn where_there_is_one_way_nothing_is_measured() {
    let mut executor = executor(Split::Serial, Choices::default());
    assert_eq!(executor.untuned(), 0);
    let found = pollster::block_on(executor.tune(0, &|| true)).expect("the device works");
    assert!(found.is_none(), "{found:?}");
}
