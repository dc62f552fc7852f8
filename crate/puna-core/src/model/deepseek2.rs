//! `DeepSeek` V2 (arXiv 2405.04434), V3 (arXiv 2412.19437) and R1: multi-head latent attention, experts that are chosen by
//! groups, and some that are always used.
//!
//! GGUF files hold what brings keys and values back (`attn_k_b`, `attn_v_b`) as a matrix a head.

use super::blocks::{Attend, Decoder, Experts};
use super::{Architecture, SCALED_ROPE};
use crate::config::{MlaConfig, ModelConfig, MoeConfig};
use crate::graph::{Builder, Gate, Groups, Routing, Scoring};
use crate::{Error, Result};

pub(super) static DEEPSEEK2: Architecture = Architecture {
    keys: &[SCALED_ROPE, &["expert_count", "attention.kv_lora_rank"]],
    ..Architecture::new("deepseek2", build)
};

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let Some(mla) = config.mla else {
        return Err(Error::unsupported_model(
            "the file says nothing of compressed keys (deepseek2.attention.kv_lora_rank); it was converted by a version \
             of llama.cpp that kept all of them",
        ));
    };
    let mut model = Decoder::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let attend = Attend {
            scale: score_scale(config, &mla),
            ..model.attend()
        };
        model.latent(layer, norm, &mla, attend)?;
        model.attention(layer, attend);
        model.latent_output(layer, &mla)?;

        let norm = model.norm(layer, "ffn_norm")?;
        if layer < config.moe.first_k_dense_replace as usize || config.num_experts == 0 {
            model.glu(layer, Some(norm), Gate::Silu)?;
            model.down(layer)?;
        } else {
            let experts = Experts {
                routing: routing(config, &config.moe),
                gate: Gate::Silu,
                scores_input: false,
                biased: config.moe.sigmoid,
                shared: (config.moe.n_shared_experts * config.moe_intermediate_size) as usize,
            };
            model.experts(layer, Some(norm), &experts)?;
        }
    }
    model.head()
}

/// Scores are divided by √ of what a head's query has before it is compressed.
fn score_scale(config: &ModelConfig, mla: &MlaConfig) -> f32 {
    let rotated = config.head_dim - mla.kv_lora_rank;
    config.score_scale / ((mla.qk_nope_head_dim + rotated) as f32).sqrt()
}

fn routing(config: &ModelConfig, moe: &MoeConfig) -> Routing {
    Routing {
        experts: config.num_experts as usize,
        used: config.num_experts_per_tok as usize,
        scoring: if moe.sigmoid {
            Scoring::Sigmoid
        } else {
            Scoring::Softmax
        },
        groups: (moe.n_group > 1).then_some(Groups {
            count: moe.n_group as usize,
            used: moe.topk_group as usize,
            // V2 goes by a group's best one, V3 by its best two.
            best: if moe.sigmoid { 2 } else { 1 },
        }),
        normalized: moe.norm_topk_prob,
        scale: moe.routed_scaling_factor,
    }
}
