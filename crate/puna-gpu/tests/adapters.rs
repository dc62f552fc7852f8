//! Adapters on the GPU, against the same model with the products merged into its weights.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

#[path = "../../../tests/native/adapters.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod adapters;
mod support;
#[path = "../../../tests/native/tiny.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod tiny;

use adapters::{Change, File, Model, factors, merged, merged_logits, peft};
use puna_core::adapter::{Adapter, attach};
use puna_core::sampler::{Draw, Sampler, SamplingParams};
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Split;
use puna_gpu::{Executor, ExecutorOptions, Wanted};
use support::{ModelFile, root};
use tiny::worst;

/// A and B are in f16; all else is in f32, as the twins are but for their sums.
const TOLERANCE: f32 = 5e-3;
const CONFIG: &str = r#"{ "peft_type": "LORA", "lora_alpha": 4 }"#;

/// Two adapters of a model, in its own file and on the GPU.
struct Adapted {
    file: File,
    sets: [Vec<Change>; 2],
    executor: Executor,
}

impl Adapted {
    fn new(model: &Model, file: File, split: Split) -> Self {
        let second = model.changes_of(&root(), &["v_proj", "qkv_proj", "down_proj"], 5);
        let sets = [model.changes(&root()), second];
        let files = sets.each_ref().map(|set| peft(set, CONFIG).expect("one"));
        let both = files
            .each_ref()
            .map(|of| Adapter::new("a", &of.1, &file.1).expect("of this model"));
        let mut loaded = ModelFile::new(file.0.clone(), &file.1, 64 << 10, None);
        loaded.graph = attach(loaded.graph.clone(), &both).expect("room");
        let options = ExecutorOptions {
            split: Some(split),
            kv: KvType::F32,
            max_logits: 64,
            ..ExecutorOptions::default()
        };
        let mut executor = support::load_file(support::gpu(), &loaded, options);
        for (ix, (adapter, of)) in both.iter().zip(&files).enumerate() {
            for factors in factors((adapter, ix), &loaded.graph, of) {
                executor.put_adapter(&factors).expect("of this graph");
            }
        }
        Self {
            file,
            sets,
            executor,
        }
    }

    /// What comes out of the same with the adapters merged.
    fn wanted(&self, scales: [f32; 2], ids: &[u32]) -> Vec<f32> {
        merged_logits(&self.file, &self.sets, scales, 4.0, ids)
    }

    /// In calls of many tokens, a few and one.
    fn got(&mut self, scales: [f32; 2], ids: &[u32]) -> Vec<f32> {
        self.executor.adapt(&scales).expect("as many");
        let mut got = Vec::new();
        for part in [0..34, 34..39, 39..40] {
            let wanted = Wanted::All;
            let logits = self.executor.forward(part.start, &ids[part], wanted);
            got.extend_from_slice(pollster::block_on(logits).expect("logits"));
        }
        got
    }
}

/// What adapters add in other ways to split the work is among the kernels' cases.
#[test]
fn adapters_are_switched_from_call_to_call() {
    let gpu = support::gpu();
    let (models, splits) = match support::is_full() {
        true => (&Model::ALL[..], Split::all(&gpu.capabilities)),
        false => (&Model::ALL[..1], vec![Split::Serial]),
    };
    for model in models {
        let ids = model.ids(&root());
        for &split in &splits {
            let mut adapted = Adapted::new(model, model.read(&root(), false), split);
            let mut outputs = Vec::new();
            for scales in [[0.0, 0.0], [1.0, 0.0], [0.5, -1.0], [0.0, 0.0]] {
                let got = adapted.got(scales, &ids);
                let off = worst(&got, &adapted.wanted(scales, &ids));
                let what = format!("{} {} {scales:?}", model.folder, split.name());
                assert!(off < TOLERANCE, "{what}: {off} standard deviations off");
                outputs.push(got);
            }
            assert!(
                worst(&outputs[1], &outputs[0]) > 0.05,
                "it changes something"
            );
            assert_eq!(outputs[0], outputs[3], "what was there before");
        }
    }
}

/// Keys and values in two formats are two matrices, of which the second begins at a row of its own.
#[test]
fn rows_of_two_formats_have_adapters_each() {
    let model = &Model::ALL[1];
    let mut file = model.read(&root(), true);
    let plain = file.1.clone();
    // No change, but for the form of one.
    let name = "blk.0.attn_v.weight";
    let none = Change {
        module: "model.layers.0.self_attn.v_proj".to_owned(),
        rank: 1,
        a: vec![0.0; model.cols(&plain, name)],
        b: vec![0.0; model.rows(&plain, name)],
    };
    file = merged(&file, &[none], Model::target, |_| 0.0);
    let ids = model.ids(&root());
    let mut adapted = Adapted::new(model, file, Split::Serial);
    let got = adapted.got([0.5, -1.0], &ids);
    let off = worst(&got, &adapted.wanted([0.5, -1.0], &ids));
    assert!(off < TOLERANCE, "{off} standard deviations off");
}

fn token(drawn: Vec<Draw>) -> u32 {
    match drawn[..] {
        [Draw::Token(id)] => id,
        _ => panic!("no token: {drawn:?}"),
    }
}

/// Tokens that the GPU draws, steps ahead, are those of the logits.
#[test]
fn answers_are_those_of_the_adapter_that_they_began_with() {
    let model = &Model::ALL[0];
    let ids = model.ids(&root());
    let split = Split::Serial;
    let mut adapted = Adapted::new(model, model.read(&root(), false), split);
    let vocab = adapted.executor.graph().vocab_size;
    let greedy = SamplingParams {
        temperature: 0.0,
        ..SamplingParams::default()
    };
    let mut answers = Vec::new();
    for scales in [[2.0, 0.0], [0.0, 0.0], [2.0, 0.0]] {
        let executor = &mut adapted.executor;
        executor.adapt(&scales).expect("as many");
        let mut answer = ids[..8].to_vec();
        let mut stepwise = answer.clone();
        pollster::block_on(async {
            let sampler = Sampler::new(greedy.clone(), vocab).expect("good");
            executor.start(&[&sampler]).await.expect("room");
            let drawn = executor.sample(0, &answer, 8).await;
            let mut next = token(drawn.expect("a token"));
            for _ in 0..8 {
                let position = answer.len();
                answer.push(next);
                let drawn = executor.sample(position, &[next], 8).await;
                next = token(drawn.expect("a token"));
            }
            for at in 0..8 {
                let (position, ids) = match at {
                    0 => (0, stepwise.clone()),
                    _ => (stepwise.len() - 1, stepwise[stepwise.len() - 1..].to_vec()),
                };
                let logits = executor.forward(position, &ids, Wanted::Last).await;
                let logits = logits.expect("logits");
                let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
                stepwise.push(best.expect("one") as u32);
            }
        });
        assert_eq!(answer, stepwise, "{scales:?}");
        answers.push(answer);
    }
    assert_ne!(answers[0], answers[1], "the adapter speaks otherwise");
    assert_eq!(answers[0], answers[2], "switched back");
}
