//! `DeepSeek` V2 (arXiv 2405.04434), V3 (arXiv 2412.19437) and R1: multi-head latent attention, experts that are chosen by
//! groups, and some that are always used.
//!
//! GGUF files hold what brings keys and values back (`attn_k_b`, `attn_v_b`) as a matrix a head.

use super::blocks::{Attend, Model};
use super::experts::Experts;
use super::{Architecture, SCALED_ROPE};
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::{MlaConfig, ModelConfig, MoeConfig};
use crate::graph::{Builder, Gate, Groups, Routing, Scoring};
use crate::{Error, Result};

pub(super) static DEEPSEEK2: Architecture = Architecture {
    keys: &[SCALED_ROPE, &["expert_count", "attention.kv_lora_rank"]],
    hubs: &[
        Hub {
            defaults: r#"{"topk_method": "greedy", "scoring_func": "softmax"}"#,
            halves: false,
            translate,
            ..Hub::new("deepseek_v2")
        },
        Hub {
            defaults: r#"{"topk_method": "noaux_tc", "scoring_func": "sigmoid"}"#,
            halves: false,
            translate,
            ..Hub::new("deepseek_v3")
        },
    ],
    ..Architecture::new("deepseek2", "DeepSeek V2, V3, R1", build)
};

fn translate(settings: &Settings, keys: &mut Keys<'_>) -> Result<()> {
    settings.expect("moe_layer_freq", &["1"])?;
    settings.expect("rope_interleave", &["true"])?;
    settings.expect("scoring_func", &["\"softmax\"", "\"sigmoid\""])?;
    let methods = ["\"greedy\"", "\"group_limited_greedy\"", "\"noaux_tc\""];
    settings.expect("topk_method", &methods)?;
    let rank = settings.required_u32("kv_lora_rank")?;
    let rotated = settings.required_u32("qk_rope_head_dim")?;
    let nope = settings.required_u32("qk_nope_head_dim")?;
    if let Some(q_rank) = settings.u32("q_lora_rank")? {
        keys.u32("attention.q_lora_rank", q_rank);
    }
    keys.u32("attention.kv_lora_rank", rank);
    // One compressed head.
    keys.u32("attention.head_count_kv", 1);
    keys.u32("attention.key_length", rank.saturating_add(rotated));
    keys.u32("attention.value_length", rank);
    keys.u32("attention.key_length_mla", nope.saturating_add(rotated));
    keys.u32(
        "attention.value_length_mla",
        settings.required_u32("v_head_dim")?,
    );
    keys.u32("rope.dimension_count", rotated);
    let grouped = settings.str("topk_method")? != Some("greedy");
    for (theirs, ours, counts) in [
        ("first_k_dense_replace", "leading_dense_block_count", true),
        ("n_shared_experts", "expert_shared_count", true),
        ("n_group", "expert_group_count", grouped),
        ("topk_group", "expert_group_used_count", grouped),
    ] {
        if let Some(value) = settings.u32(theirs)?.filter(|_| counts) {
            keys.u32(ours, value);
        }
    }
    let sigmoid = settings.str("scoring_func")? == Some("sigmoid");
    keys.u32("expert_gating_func", if sigmoid { 2 } else { 1 });
    if let Some(scale) = settings.f64("routed_scaling_factor")? {
        keys.f32("expert_weights_scale", scale);
    }
    keys.bool(
        "expert_weights_norm",
        settings.bool("norm_topk_prob")? == Some(true),
    );
    Ok(())
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let Some(mla) = config.mla else {
        return Err(Error::unsupported_model(
            "the file says nothing of compressed keys (deepseek2.attention.kv_lora_rank); it was converted by a version \
             of llama.cpp that kept all of them",
        ));
    };
    let mut model = Model::new(config, b, 1.0)?;
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
                biased_choice: config.moe.sigmoid,
                biased: false,
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
