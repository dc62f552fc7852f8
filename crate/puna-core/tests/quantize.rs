//! Weights rounded at load against files that llama.cpp made of the same weights.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

#[allow(dead_code, reason = "not every test file asks for all")]
mod support;
#[path = "../../../tests/native/tiny.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod tiny;

use puna_core::ErrorCode;
use puna_core::model;
use puna_core::quant::Format;
use puna_core::weights::header::{Header, TensorInfo};
use support::root;
use tiny::Tiny;

fn bytes_of<'b>(file: &'b (Vec<u8>, Header), tensor: &TensorInfo) -> &'b [u8] {
    &file.0[tensor.offset as usize..(tensor.offset + tensor.bytes) as usize]
}

/// How many matrices of a file are, byte for byte, those of the checkpoint that it was made of.
fn same(name: &str, format: &Format) -> usize {
    let of = |list: &'static [Tiny]| {
        let mut all = list.iter();
        let tiny = all.find(|tiny| tiny.name().starts_with(&format!("tiny/{name} ")));
        tiny.expect("a golden model").read(&root())
    };
    let (file, checkpoint) = (of(tiny::ARCHITECTURES), of(tiny::CHECKPOINTS));
    let mut count = 0;
    for tensor in &checkpoint.1.tensors {
        let Some(made) = file.1.tensor(&tensor.name) else {
            continue;
        };
        if made.ggml_type != format.ggml_type {
            continue;
        }
        let stored = Format::of(&tensor.name, tensor.ggml_type).expect("floats");
        let weights: Vec<f32> = stored.values(bytes_of(&checkpoint, tensor)).collect();
        let got = format.quantize_row(&weights);
        assert!(got == bytes_of(&file, made), "{name}: {}", tensor.name);
        count += 1;
    }
    count
}

#[test]
fn weights_are_rounded_as_llama_cpp_rounds_them() {
    // Seven matrices a layer of three, rows of tokens, the head.
    assert_eq!(same("olmo2", Format::q8_0()), 3 * 7 + 2);
    // Those of experts are stacked in one file and not in the other.
    let q4_0 = Format::named("q4_0").expect("a format");
    assert_eq!(same("qwen3-moe", q4_0), 3 * 4 + 2);
}

#[test]
fn what_chooses_experts_and_what_is_small_stays_as_it_is() {
    let q4_0 = Format::named("q4_0").expect("a format");
    let (_, header) = tiny::CHECKPOINTS[4].read(&root());
    let (_, graph) = model::open(&header).expect("a graph");
    let graph = graph.quantized(q4_0).expect("a format for it");
    let format = |name: &str| {
        let mut all = graph.matrices.iter();
        let matrix = all.find(|matrix| matrix.name.starts_with(name));
        matrix.expect("a matrix").format.name
    };
    assert_eq!(format("blk.1.attn_q"), "q4_0");
    assert_eq!(format("blk.1.ffn_down_exps"), "q4_0");
    assert_eq!(format("blk.1.ffn_gate_inp"), "bf16", "the router");
    assert_eq!(format("token_embd"), "q8_0");
    assert_eq!(format("output.weight"), "q8_0");

    let q4_k = Format::named("q4_k").expect("a format");
    let error = graph.quantized(q4_k).expect_err("no such rounding");
    assert_eq!(error.code(), ErrorCode::InvalidRequest, "{error}");
    assert!(error.message().contains("q4_k"), "{error}");
}
