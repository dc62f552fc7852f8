//! Adapters on the CPU, against the same model with the products merged into its weights.
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

use adapters::{Model, factors, merged_logits, peft, tensor_bytes};
use puna_core::adapter::{Adapter, attach};
use puna_core::model;
use puna_core::weights::plan::Piece;
use puna_cpu::{Executor, ExecutorOptions, Simd, Wanted};
use support::root;
use tiny::worst;

/// The cache and A are in f16; all else is in f32, as the twins are but for their sums.
const TOLERANCE: f32 = 1e-2;

fn upload(executor: &mut Executor, file: &adapters::File) {
    for (tensor, info) in file.1.tensors.iter().enumerate() {
        let piece = Piece {
            tensor,
            chunk_offset: 0,
            tensor_offset: 0,
            bytes: info.bytes as u32,
        };
        let bytes = tensor_bytes(file, tensor);
        executor.upload(&[piece], bytes).expect("whole tensors");
    }
}

#[test]
fn adapters_are_switched_from_call_to_call() {
    for model in Model::ALL {
        let file = model.read(&root(), false);
        let ids = model.ids(&root());
        let second = model.changes_of(&root(), &["v_proj", "qkv_proj", "down_proj"], 5);
        let sets = [model.changes(&root()), second];
        let config = r#"{ "peft_type": "LORA", "lora_alpha": 4 }"#;
        let files = sets
            .each_ref()
            .map(|set| peft(set, config).expect("an adapter"));
        let adapters = files
            .each_ref()
            .map(|of| Adapter::new("a", &of.1, &file.1).expect("one"));
        let (_, graph) = model::open(&file.1).expect("a graph");
        let graph = attach(graph, &adapters).expect("room");
        let options = ExecutorOptions {
            simd: Simd::best(),
            threads: 2,
            ..ExecutorOptions::default()
        };
        let mut executor =
            Executor::new(graph.clone(), file.1.tensors.len(), options).expect("room");
        upload(&mut executor, &file);
        for (ix, (adapter, of)) in adapters.iter().zip(&files).enumerate() {
            for factors in factors((adapter, ix), &graph, of) {
                executor.put_adapter(&factors).expect("of this graph");
            }
        }
        let mut outputs = Vec::new();
        for scales in [[0.0, 0.0], [1.0, 0.0], [0.5, -1.0], [0.0, 2.0], [0.0, 0.0]] {
            executor.adapt(&scales).expect("as many");
            let want = merged_logits(&file, &sets, scales, 4.0, &ids);
            let got = executor
                .forward(0, &ids, Wanted::All)
                .expect("logits")
                .to_vec();
            let off = worst(&got, &want);
            let what = format!("{} {scales:?}", model.folder);
            assert!(off < TOLERANCE, "{what}: {off} standard deviations off");
            outputs.push(got);
        }
        assert!(
            worst(&outputs[1], &outputs[0]) > 0.05,
            "it changes next to nothing"
        );
        assert_eq!(outputs[0], outputs[4], "what was there before");
        assert!(executor.adapt(&[1.0]).is_err() && executor.adapt(&[f32::NAN, 0.0]).is_err());
    }
}
