//! Qwen3's models of experts (Yang et al. 2025, arXiv 2505.09388): Qwen3's block with experts in place of the gated layer.

use super::blocks::{Model, QkNorms};
use super::experts::Experts;
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static QWEN3MOE: Architecture = Architecture {
    halves: true,
    keys: &[SCALED_ROPE, &["expert_count"]],
    hubs: &[Hub {
        translate,
        ..Hub::new("qwen3_moe")
    }],
    ..Architecture::new("qwen3moe", "Qwen3's models of experts", build)
};

/// All layers have experts, whose scores are divided by their sum.
fn translate(settings: &Settings, _keys: &mut Keys<'_>) -> Result<()> {
    settings.expect("mlp_only_layers", &["[]"])?;
    settings.expect("decoder_sparse_step", &["1"])?;
    settings.expect("norm_topk_prob", &["true"])
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let attend = model.attend();
        model.qkv_normed(layer, Some(norm), attend, QkNorms::Heads)?;
        model.attention(layer, attend);
        model.output(layer)?;

        let norm = model.norm(layer, "ffn_norm")?;
        let experts = Experts {
            routing: model.softmax_routing(),
            gate: Gate::Silu,
            scores_input: false,
            biased_choice: false,
            biased: false,
            shared: 0,
        };
        model.experts(layer, Some(norm), &experts)?;
    }
    model.head()
}
