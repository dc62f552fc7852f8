//! The reference executor against logits of an independent implementation.
#![allow(
    clippy::cast_possible_truncation,
    reason = "sizes of golden files are small"
)]

#[allow(dead_code, reason = "not every test file asks for all")]
mod support;
#[path = "../../../tests/native/tiny.rs"]
#[allow(dead_code, reason = "not every test file asks for all")]
mod tiny;

use std::collections::BTreeSet;

use puna_core::ErrorCode;
use puna_core::config::ModelConfig;
use puna_core::model::{self, ARCHITECTURES};
use puna_core::reference::Executor;
use support::{read_gguf, root};
use tiny::{Tiny, worst};

fn executor(tiny: &Tiny) -> (ModelConfig, Executor) {
    let (bytes, header) = tiny.read(&root());
    header.check(bytes.len() as u64).expect("the file is whole");
    let tensor = |ix: usize| {
        let info = &header.tensors[ix];
        &bytes[info.offset as usize..(info.offset + info.bytes) as usize]
    };
    let (config, graph) = model::open(&header).expect("a graph");
    let executor = Executor::new(graph, 64, tensor).expect("good factors");
    (config, executor)
}

#[test]
fn encoders_reproduce_the_golden_vectors() {
    for tiny in tiny::ENCODERS {
        let (config, mut executor) = executor(tiny);
        let golden = tiny.vectors(&root());
        let hidden = executor.forward(0, &golden.ids);
        let off = worst(&hidden, &golden.hidden);
        assert!(off < 1e-5, "{}: {off} deviations off", tiny.name());
        let pooling = config.pooling.expect("it makes vectors of texts");
        let pooled = pooling.pool(&hidden, config.hidden_size as usize);
        let off = worst(&pooled.expect("a direction"), &golden.pooled);
        assert!(off < 1e-5, "{}: the text is {off} off", tiny.name());
    }
}

/// As models have it that were trained on texts of one kind.
#[test]
fn an_encoder_may_have_segments_of_one_kind() {
    let (_, mut header) = tiny::ENCODERS[0].read(&root());
    for dims in [vec![32, 1], vec![32], vec![32, 7]] {
        let types = header
            .tensors
            .iter_mut()
            .find(|it| it.name == "token_types.weight");
        types.expect("segments").dims = dims;
        model::open(&header).expect("a graph");
    }
    let types = header
        .tensors
        .iter_mut()
        .find(|it| it.name == "token_types.weight");
    types.expect("segments").dims = vec![31, 2];
    let error = model::open(&header).expect_err("another width");
    assert_eq!(error.code(), ErrorCode::BadModelFile, "{error}");
}

fn check(tiny: &Tiny) {
    let (_, mut executor) = executor(tiny);
    let golden = tiny.golden(&root());
    let vocab = golden.vocab();
    let logits = executor.forward(0, &golden.ids);
    let off = worst(&logits, &golden.logits);
    let Tiny { tolerance, .. } = *tiny;
    assert!(
        off < tolerance,
        "{}: the prompt is {off} standard deviations off, {tolerance} allowed",
        tiny.name()
    );
    for (i, id) in golden.greedy.iter().enumerate() {
        let logits = executor.forward(golden.ids.len() + i, &[*id]);
        let off = worst(&logits, &golden.greedy_logits[i * vocab..(i + 1) * vocab]);
        assert!(
            off < tolerance,
            "{}: step {i} is {off} standard deviations off, {tolerance} allowed",
            tiny.name()
        );
    }
}

#[test]
fn every_architecture_and_kind_of_type_reproduces_the_golden_logits() {
    for tiny in tiny::all() {
        check(tiny);
    }
}

#[test]
fn every_architecture_of_the_registry_is_among_them() {
    let seen: BTreeSet<_> = tiny::all()
        .chain(tiny::ENCODERS)
        .map(|tiny| tiny.read(&root()).1)
        .map(|header| model::open(&header).expect("a graph").0.architecture)
        .collect();
    for architecture in ARCHITECTURES {
        assert!(seen.contains(architecture.name), "{}", architecture.name);
    }
}

#[test]
fn a_tensor_that_nothing_uses_is_refused_by_name() {
    let (_, mut header) = read_gguf("llama-256/llama-256-Q4_1.gguf");
    let mut bias = header.tensors[0].clone();
    bias.name = "blk.0.attn_q.bias".to_owned();
    header.tensors.push(bias);
    let error = model::open(&header).expect_err("its arithmetic is not what is built");
    assert_eq!(error.code(), ErrorCode::UnsupportedModel, "{error}");
    assert!(error.message().contains("blk.0.attn_q.bias"), "{error}");
}

/// The compressed key is the only row of the cache, and its first dimensions the value.
#[test]
fn latent_attention_keeps_one_row_a_token() {
    let deepseek = |tiny: &&&Tiny| tiny.name().starts_with("tiny/deepseek-v2 ");
    let tiny = tiny::all().collect::<Vec<_>>();
    let tiny = tiny.iter().find(deepseek).expect("a tiny DeepSeek V2");
    let (_, header) = tiny.read(&root());
    let (config, graph) = model::open(&header).expect("a graph");
    let kv = graph.kv;
    assert!(kv.value_dim < kv.head_dim && kv.heads == 1, "{kv:?}");
    let layers = config.num_hidden_layers as u64;
    assert_eq!(kv.token_bytes(2), layers * kv.head_dim as u64 * 2);
}
