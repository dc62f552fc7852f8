//! Gemma 3 (Gemma Team 2025, arXiv 2503.19786): Gemma 2 with norms of each head's queries and keys in place of bounds, a
//! window in five of six layers, and a rotation of their own for those.
//!
//! GGUF files hold gains with 1 added, as they are used.

use super::blocks::{Attend, Model, QkNorms, span};
use super::gemma2::{GEMMA_NAMES, check_score_scale, layer_type};
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static GEMMA3: Architecture = Architecture {
    halves: true,
    keys: &[
        SCALED_ROPE,
        &[
            "attention.sliding_window",
            "attention.sliding_window_pattern",
            "rope.freq_base_swa",
            "final_logit_softcapping",
        ],
    ],
    rope_theta: 1_000_000.0,
    local_rope_theta: Some(10_000.0),
    hubs: &[Hub {
        names: GEMMA_NAMES,
        defaults: DEFAULTS,
        gains_less_one: true,
        act: "gelu_pytorch_tanh",
        translate,
        ..Hub::new("gemma3_text")
    }],
    ..Architecture::new("gemma3", "Gemma 3 (its text)", build)
};

/// Of so many layers the last one sees all positions.
const PERIOD: usize = 6;
/// The one size whose scores are divided by √(D / H) instead of √Dh has so many layers.
const LAYERS_OF_27B: u32 = 62;

/// What the files of models that also see images leave out.
const DEFAULTS: &str = r#"{"vocab_size": 262208, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256,
    "max_position_embeddings": 131072, "rms_norm_eps": 1e-6, "sliding_window": 4096, "query_pre_attn_scalar": 256,
    "tie_word_embeddings": true}"#;

fn translate(settings: &Settings, _keys: &mut Keys<'_>) -> Result<()> {
    let is_local = |layer: usize| !(layer + 1).is_multiple_of(PERIOD);
    settings.expect_layers("layer_types", |layer| layer_type(is_local(layer)))?;
    for key in ["sliding_window_pattern", "_sliding_window_pattern"] {
        settings.expect(key, &[&PERIOD.to_string()])?;
    }
    check_score_scale(settings, LAYERS_OF_27B)
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, (config.hidden_size as f32).sqrt())?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let is_local = config.sliding_window.is_some() && !(layer + 1).is_multiple_of(PERIOD);
        let attend = Attend {
            scale: model.score_scale(config.num_hidden_layers == LAYERS_OF_27B),
            span: span(config.sliding_window.filter(|_| is_local)),
            rope: Some(usize::from(is_local)),
            ..model.attend()
        };
        model.qkv_normed(layer, Some(norm), attend, QkNorms::Heads)?;
        model.attention(layer, attend);
        model.output_normed(layer, "post_attention_norm")?;

        let norm = model.norm(layer, "ffn_norm")?;
        model.glu(layer, Some(norm), Gate::GeluTanh)?;
        model.down_normed(layer, "post_ffw_norm")?;
    }
    model.head()
}
