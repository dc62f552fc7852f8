//! Gemma 2 (Gemma Team 2024, arXiv 2408.00118): norms of inputs and outputs, bounded scores and logits, and a window in
//! every other layer.
//!
//! GGUF files hold gains with 1 added, as they are used.

use super::blocks::{Attend, Model, span};
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static GEMMA2: Architecture = Architecture {
    halves: true,
    keys: &[
        SCALED_ROPE,
        &[
            "attention.sliding_window",
            "attn_logit_softcapping",
            "final_logit_softcapping",
        ],
    ],
    hubs: &[Hub {
        names: GEMMA_NAMES,
        defaults: r#"{"head_dim": 256, "rms_norm_eps": 1e-6, "rope_theta": 10000.0, "tie_word_embeddings": true}"#,
        gains_less_one: true,
        act: "gelu_pytorch_tanh",
        translate,
        ..Hub::new("gemma2")
    }],
    ..Architecture::new("gemma2", "Gemma 2", build)
};

/// Norms of inputs and of outputs.
pub(super) const GEMMA_NAMES: &[(&str, &str)] = &[
    ("post_attention_layernorm", "post_attention_norm"),
    ("pre_feedforward_layernorm", "ffn_norm"),
];

/// The one size whose scores are divided by √(D / H) instead of √Dh has so many layers.
const LAYERS_OF_27B: u32 = 46;

fn translate(settings: &Settings, _keys: &mut Keys<'_>) -> Result<()> {
    settings.expect_layers("layer_types", |layer| layer_type(layer.is_multiple_of(2)))?;
    check_score_scale(settings, LAYERS_OF_27B)
}

/// What `config.json` calls a layer.
pub(super) const fn layer_type(is_local: bool) -> &'static str {
    match is_local {
        true => "sliding_attention",
        false => "full_attention",
    }
}

/// Fails unless scores are divided by √ of what the graph has there.
pub(super) fn check_score_scale(settings: &Settings, layers_of_27b: u32) -> Result<()> {
    let expected = match settings.required_u32("num_hidden_layers")? == layers_of_27b {
        true => {
            let width = settings.required_u32("hidden_size")?;
            let heads = settings.required_u32("num_attention_heads")?;
            width.checked_div(heads).unwrap_or_default()
        }
        false => settings.required_u32("head_dim")?,
    };
    settings.expect("query_pre_attn_scalar", &[&expected.to_string()])
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, (config.hidden_size as f32).sqrt())?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let attend = Attend {
            scale: model.score_scale(config.num_hidden_layers == LAYERS_OF_27B),
            span: span(config.sliding_window.filter(|_| layer.is_multiple_of(2))),
            ..model.attend()
        };
        model.qkv(layer, Some(norm), attend)?;
        model.attention(layer, attend);
        model.output_normed(layer, "post_attention_norm")?;

        let norm = model.norm(layer, "ffn_norm")?;
        model.glu(layer, Some(norm), Gate::GeluTanh)?;
        model.down_normed(layer, "post_ffw_norm")?;
    }
    model.head()
}
