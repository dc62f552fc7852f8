//! The reference executor against logits of an independent implementation.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

mod support;

use puna_core::ErrorCode;
use puna_core::model;
use puna_core::reference::Executor;
use support::{read_floats, read_gguf, read_words};

/// In units of the logits' standard deviation; float32 arithmetic, as the golden folder's README says.
const TOLERANCE: f32 = 1e-3;

fn deviation(logits: &[f32]) -> f32 {
    let mean = logits.iter().sum::<f32>() / logits.len() as f32;
    (logits.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / logits.len() as f32).sqrt()
}

#[track_caller]
fn assert_close(label: &str, got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len(), "{label}: lengths differ");
    let worst = got
        .iter()
        .zip(want)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max);
    let worst = worst / deviation(want);
    assert!(
        worst < TOLERANCE,
        "{label}: {worst} standard deviations off, at most {TOLERANCE} allowed"
    );
}

fn check(format: &str) {
    let (bytes, gguf) = read_gguf(&format!("llama-256/llama-256-{format}.gguf"));
    gguf.check(bytes.len() as u64).expect("the file is whole");
    let (_, graph) = model::open(&gguf).expect("a graph");
    let vocab = graph.vocab_size;
    let tensor = |ix: usize| {
        let info = &gguf.tensors[ix];
        &bytes[info.offset as usize..(info.offset + info.bytes) as usize]
    };
    let mut executor = Executor::new(graph, 64, tensor);

    let golden = "llama-256/expected.safetensors";
    let ids = read_words(golden, "input_ids");
    let logits = executor.forward(0, &ids);
    assert_close(
        "prompt",
        &logits,
        &read_floats(golden, &format!("{format}.logits")),
    );
    let want = read_floats(golden, &format!("{format}.greedy_logits"));
    for (i, id) in read_words(golden, "greedy_ids").into_iter().enumerate() {
        let logits = executor.forward(ids.len() + i, &[id]);
        assert_close(
            &format!("step {i}"),
            &logits,
            &want[i * vocab..(i + 1) * vocab],
        );
    }
}

#[test]
fn tiny_llama_in_q4_1_reproduces_the_golden_logits() {
    check("Q4_1");
}

#[test]
fn tiny_llama_in_q8_0_reproduces_the_golden_logits() {
    check("Q8_0");
}

#[test]
fn tiny_llama_in_q4_k_reproduces_the_golden_logits() {
    check("Q4_K");
}

#[test]
fn tiny_llama_in_q6_k_reproduces_the_golden_logits() {
    check("Q6_K");
}

/// Uneven levels, codebooks with signs and with eighths, digits in base 3, scales of rows, pairs of levels.
#[test]
fn tiny_llama_in_a_type_of_each_other_kind_reproduces_the_golden_logits() {
    for format in ["IQ4_XS", "IQ2_S", "IQ1_M", "TQ1_0", "IQ4_KS", "IQ2_KL"] {
        check(format);
    }
}

#[test]
fn a_tensor_that_nothing_uses_is_refused_by_name() {
    let (_, mut gguf) = read_gguf("llama-256/llama-256-Q4_1.gguf");
    let mut bias = gguf.tensors[0].clone();
    bias.name = "blk.0.attn_q.bias".to_owned();
    gguf.tensors.push(bias);
    let error = model::open(&gguf).expect_err("its arithmetic is not what is built");
    assert_eq!(error.code(), ErrorCode::UnsupportedModel, "{error}");
    assert!(error.message().contains("blk.0.attn_q.bias"), "{error}");
}
