//! Gemma 2 (Gemma Team 2024, arXiv 2408.00118): norms of inputs and outputs, bounded scores and logits, and a window in
//! every other layer.
//!
//! GGUF files hold gains with 1 added, as they are used.

use super::blocks::{Attend, Decoder, span};
use super::{Architecture, SCALED_ROPE};
use crate::Result;
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
    ..Architecture::new("gemma2", build)
};

/// The one size whose scores are divided by √(D / H) instead of √Dh has so many layers.
const LAYERS_OF_27B: u32 = 46;

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Decoder::new(config, b, (config.hidden_size as f32).sqrt())?;
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
