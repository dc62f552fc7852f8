use super::*;
use crate::rope::Scaling;
use crate::weights::header::Parsed;
use crate::weights::tests::Writer;
use crate::{ErrorCode, model};

/// The header of a small Llama.
fn llama() -> Writer {
    llama_with_heads(4)
}

fn llama_with_heads(heads: u32) -> Writer {
    let mut builder = Writer::new()
        .str("general.architecture", "llama")
        .strs("tokenizer.ggml.tokens", &["a", "b", "c"])
        .pair(
            "llama.attention.layer_norm_rms_epsilon",
            6,
            1e-5f32.to_le_bytes(),
        );
    for (key, value) in [
        ("embedding_length", 64_u32),
        ("feed_forward_length", 96),
        ("block_count", 2),
        ("context_length", 512),
        ("attention.head_count", heads),
    ] {
        builder = u32(builder, key, value);
    }
    builder
}

fn u32(builder: Writer, key: &str, value: u32) -> Writer {
    builder.pair(&format!("llama.{key}"), 4, value.to_le_bytes())
}

fn f32(builder: Writer, key: &str, value: f32) -> Writer {
    builder.pair(&format!("llama.{key}"), 6, value.to_le_bytes())
}

fn read(builder: &Writer) -> Result<ModelConfig> {
    read_as(builder, "llama")
}

fn read_as(builder: &Writer, architecture: &str) -> Result<ModelConfig> {
    match Header::from_gguf(&builder.build())? {
        Parsed::Done(header) => ModelConfig::from_header(&header, model::find(architecture)?),
        Parsed::NeedMore { .. } => Err(Error::internal("the header is whole")),
    }
}

#[track_caller]
fn refused(builder: &Writer, code: ErrorCode, names: &str) {
    let error = read(builder).expect_err("it must be refused");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.message().contains(names), "{error}");
}

#[test]
fn what_is_absent_follows_from_what_is_there() {
    let config = read(&llama()).expect("a good header");
    assert_eq!(
        (
            config.head_dim,
            config.num_key_value_heads,
            config.vocab_size,
            config.ropes[0].dims
        ),
        (16, 4, 3, 16),
        "{config:?}"
    );
}

#[test]
fn positions_are_scaled_however_the_file_says_it() {
    let scaling = |builder: &Writer| read(builder).expect("a good header").ropes[0].scaling;
    let linear = Scaling::Linear(4.0);
    let named = llama().str("llama.rope.scaling.type", "linear");
    assert_eq!(scaling(&f32(named, "rope.scaling.factor", 4.0)), linear);
    assert_eq!(scaling(&f32(llama(), "rope.scaling.factor", 4.0)), linear);
    assert_eq!(scaling(&f32(llama(), "rope.scale_linear", 4.0)), linear);
    let unscaled = llama().str("llama.rope.scaling.type", "none");
    for none in [
        llama(),
        f32(unscaled, "rope.scaling.factor", 4.0),
        f32(llama(), "rope.scale_linear", 1.0),
    ] {
        assert_eq!(scaling(&none), Scaling::None);
    }
    let yarn = f32(
        llama().str("llama.rope.scaling.type", "yarn"),
        "rope.scaling.factor",
        4.0,
    );
    let bad = ErrorCode::BadModelFile;
    refused(&yarn, bad, "original_context_length");
    let yarn = u32(yarn, "rope.scaling.original_context_length", 128);
    assert!(matches!(scaling(&yarn), Scaling::Yarn(yarn) if yarn.beta_fast == 32.0));
    refused(
        &llama().str("llama.rope.scaling.type", "spiral"),
        ErrorCode::UnsupportedModel,
        "spiral",
    );
    refused(
        &u32(llama(), "rope.scaling.type", 1),
        bad,
        "rope.scaling.type",
    );
    refused(&f32(llama(), "rope.scaling.factor", -1.0), bad, "-1");
}

#[test]
fn what_the_architecture_does_not_have_is_refused_by_name() {
    for (key, value) in [("attn_logit_softcapping", 50.0), ("logit_scale", 0.5)] {
        refused(&f32(llama(), key, value), ErrorCode::UnsupportedModel, key);
    }
    read(&f32(llama(), "attn_logit_softcapping", 0.0)).expect("a bound of 0 is none");
}

#[test]
fn keys_that_are_compressed_otherwise_are_refused() {
    let header = |key: u32, value: u32, kv_heads: u32, shared: u32| {
        let mut builder = Writer::new()
            .str("general.architecture", "deepseek2")
            .strs("tokenizer.ggml.tokens", &["a"])
            .pair(
                "deepseek2.attention.layer_norm_rms_epsilon",
                6,
                1e-5f32.to_le_bytes(),
            );
        for (suffix, value) in [
            ("embedding_length", 64),
            ("feed_forward_length", 96),
            ("block_count", 1),
            ("context_length", 64),
            ("attention.head_count", 4),
            ("attention.head_count_kv", kv_heads),
            ("attention.key_length", key),
            ("attention.value_length", value),
            ("attention.key_length_mla", 32),
            ("attention.value_length_mla", 16),
            ("attention.kv_lora_rank", 32),
            ("rope.dimension_count", 16),
            ("expert_shared_count", shared),
        ] {
            builder = builder.pair(&format!("deepseek2.{suffix}"), 4, value.to_le_bytes());
        }
        builder
    };
    read_as(&header(48, 32, 1, 1), "deepseek2").expect("one compressed head");
    for (key, value, kv_heads) in [(16, 16, 1), (32, 32, 1), (48, 48, 1), (48, 32, 4)] {
        let error = read_as(&header(key, value, kv_heads, 1), "deepseek2")
            .expect_err("not compressed to one head");
        assert_eq!(error.code(), ErrorCode::UnsupportedModel, "{error}");
    }
    let error = read_as(&header(48, 32, 1, u32::MAX), "deepseek2").expect_err("absurd");
    assert!(error.message().contains("expert_shared_count"), "{error}");
}

#[test]
fn absurd_sizes_are_refused_by_name() {
    let bad = ErrorCode::BadModelFile;
    refused(
        &u32(llama(), "attention.key_length", 1 << 20),
        bad,
        "attention.key_length",
    );
    refused(&u32(llama(), "vocab_size", 2), bad, "3 tokens");
    let wide = u32(llama_with_heads(2048), "attention.key_length", 1024);
    refused(&wide, bad, "2097152 values wide");
}
