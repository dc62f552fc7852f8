//! Nomic Embed (Nussbaum et al. 2024, arXiv 2402.01613): BERT with rotation, gates and no biases of projections.

use super::Architecture;
use super::blocks::{Attend, Model};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate, Span};

pub(super) static NOMIC_BERT: Architecture = Architecture {
    halves: true,
    rope_theta: 1000.0,
    norm_eps: "attention.layer_norm_epsilon",
    encodes: true,
    hubs: &[Hub {
        names: NAMES,
        outer: OUTER,
        layers: "encoder.layers.",
        defaults: r#"{"vocab_size": 30528, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
            "intermediate_size": 3072, "max_position_embeddings": 2048, "layer_norm_eps": 1e-12, "hidden_act": "silu"}"#,
        translate,
        ..Hub::new("nomic_bert")
    }],
    ..Architecture::new("nomic-bert", "Nomic Embed (vectors of texts)", build)
};

/// Parts of a layer.
const NAMES: &[(&str, &str)] = &[
    ("attn.Wqkv", "attn_qkv"),
    ("attn.out_proj", "attn_output"),
    ("norm1", "attn_output_norm"),
    ("mlp.fc11", "ffn_up"),
    ("mlp.fc12", "ffn_gate"),
    ("mlp.fc2", "ffn_down"),
    ("norm2", "layer_output_norm"),
];

/// Outside of layers.
const OUTER: &[(&str, &str)] = &[
    ("embeddings.word_embeddings.weight", "token_embd.weight"),
    (
        "embeddings.token_type_embeddings.weight",
        "token_types.weight",
    ),
    ("emb_ln.weight", "token_embd_norm.weight"),
    ("emb_ln.bias", "token_embd_norm.bias"),
];

/// Its own repositories have the names of GPT-2's settings.
const COUNTS: &[(&str, &str)] = &[
    ("n_embd", "embedding_length"),
    ("n_inner", "feed_forward_length"),
    ("n_layer", "block_count"),
    ("n_head", "attention.head_count"),
    // Of more positions there are only guesses, by a rotation that changes with the text's length.
    ("max_trained_positions", "context_length"),
];

/// Settings that change the arithmetic, and the only values of which are supported.
const ARITHMETIC: &[(&str, &[&str])] = &[
    ("activation_function", &["\"swiglu\""]),
    ("causal", &["false"]),
    ("mlp_fc1_bias", &["false"]),
    ("mlp_fc2_bias", &["false"]),
    ("parallel_block", &["false"]),
    ("prenorm", &["false"]),
    ("qkv_proj_bias", &["false"]),
    ("rotary_emb_fraction", &["1"]),
    ("rotary_emb_interleaved", &["false"]),
    ("rotary_emb_scale_base", &[]),
    ("use_rms_norm", &["false"]),
];

fn translate(settings: &Settings, keys: &mut Keys<'_>) -> Result<()> {
    for (key, known) in ARITHMETIC {
        settings.expect(key, known)?;
    }
    for (theirs, ours) in COUNTS {
        if let Some(value) = settings.u32(theirs)? {
            keys.u32(ours, value);
        }
    }
    for theirs in ["layer_norm_epsilon", "layer_norm_eps"] {
        if let Some(eps) = settings.f64(theirs)? {
            keys.f32("attention.layer_norm_epsilon", eps);
        }
    }
    if let Some(base) = settings.f64("rotary_emb_base")? {
        keys.f32("rope.freq_base", base);
    }
    Ok(())
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    model.segments()?;
    model.layer_norm("token_embd_norm", false)?;
    let layers = model.layers();
    for layer in 0..layers {
        let attend = Attend {
            span: Span::Both,
            ..model.attend()
        };
        model.qkv_fused(layer, None, attend)?;
        model.attention(layer, attend);
        model.output(layer)?;
        model.layer_norm(&format!("blk.{layer}.attn_output_norm"), false)?;
        model.glu(layer, None, Gate::Silu)?;
        model.down(layer)?;
        let is_last = layer + 1 == layers;
        model.layer_norm(&format!("blk.{layer}.layer_output_norm"), is_last)?;
    }
    Ok(())
}
