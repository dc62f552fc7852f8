//! What tensors of checkpoints are called in GGUF.

use super::{Hub, Settings};

/// Parts of a layer: what most models call them, and what GGUF does.
const PARTS: &[(&str, &str)] = &[
    ("input_layernorm", "attn_norm"),
    ("self_attn.q_proj", "attn_q"),
    ("self_attn.k_proj", "attn_k"),
    ("self_attn.v_proj", "attn_v"),
    ("self_attn.qkv_proj", "attn_qkv"),
    ("self_attn.o_proj", "attn_output"),
    ("self_attn.q_norm", "attn_q_norm"),
    ("self_attn.k_norm", "attn_k_norm"),
    ("self_attn.q_a_proj", "attn_q_a"),
    ("self_attn.q_a_layernorm", "attn_q_a_norm"),
    ("self_attn.q_b_proj", "attn_q_b"),
    ("self_attn.kv_a_proj_with_mqa", "attn_kv_a_mqa"),
    ("self_attn.kv_a_layernorm", "attn_kv_a_norm"),
    ("self_attn.kv_b_proj", "attn_kv_b"),
    ("post_attention_layernorm", "ffn_norm"),
    ("mlp.gate_proj", "ffn_gate"),
    ("mlp.up_proj", "ffn_up"),
    ("mlp.gate_up_proj", "ffn_up"),
    ("mlp.down_proj", "ffn_down"),
    ("mlp.gate", "ffn_gate_inp"),
    ("mlp.shared_experts.gate_proj", "ffn_gate_shexp"),
    ("mlp.shared_experts.up_proj", "ffn_up_shexp"),
    ("mlp.shared_experts.down_proj", "ffn_down_shexp"),
    ("post_feedforward_layernorm", "post_ffw_norm"),
];

/// Parts of an expert.
const EXPERT: &[(&str, &str)] = &[
    ("gate_proj", "ffn_gate"),
    ("up_proj", "ffn_up"),
    ("down_proj", "ffn_down"),
    ("w1", "ffn_gate"),
    ("w2", "ffn_down"),
    ("w3", "ffn_up"),
];

/// Outside of layers.
const OUTER: &[(&str, &str)] = &[
    ("embed_tokens.weight", "token_embd.weight"),
    ("norm.weight", "output_norm.weight"),
    ("lm_head.weight", "output.weight"),
];

/// What stands in front of all names, and what of that is no part of the language model.
const PREFIXES: [&str; 4] = ["model.", "language_model.", "model.", "bert."];
const OTHER_MODELS: [&str; 3] = ["vision_tower.", "vision_model.", "multi_modal_projector."];

/// The name without what stands in front of all.
fn inner(name: &str) -> &str {
    let mut inner = name;
    for prefix in PREFIXES {
        inner = inner.strip_prefix(prefix).unwrap_or(inner);
    }
    inner
}

/// The name that GGUF has for a tensor; `None` for one that is not used in generating text. A name that nobody knows stays,
/// and is refused where its tensor turns out to have no place.
pub(super) fn translate(name: &str, settings: &Settings, hub: &Hub) -> Option<String> {
    let inner = inner(name);
    if OTHER_MODELS.iter().any(|other| inner.starts_with(other)) {
        return None;
    }
    if let Some((_, ours)) = OUTER.iter().find(|(theirs, _)| *theirs == inner) {
        let tied = settings.bool("tie_word_embeddings").ok().flatten() == Some(true);
        return (*ours != "output.weight" || !tied).then(|| (*ours).to_owned());
    }
    if let Some((_, ours)) = hub.outer.iter().find(|(theirs, _)| *theirs == inner) {
        return (!ours.is_empty()).then(|| (*ours).to_owned());
    }
    let unknown = || Some(name.to_owned());
    let Some((layer, part)) = inner
        .strip_prefix(hub.layers)
        .and_then(|it| it.split_once('.'))
    else {
        return unknown();
    };
    let Ok(layer) = layer.parse::<u32>() else {
        return unknown();
    };
    // Tables of cosines in old files; layers behind the last, which guess further tokens.
    let guessing = settings.u32("num_nextn_predict_layers").ok().flatten() > Some(0);
    let layers = settings.u32("num_hidden_layers").ok().flatten();
    if part.ends_with("rotary_emb.inv_freq") || guessing && Some(layer) >= layers {
        return None;
    }
    let (stem, end) = match part.rsplit_once('.') {
        Some((stem, end @ ("weight" | "bias"))) => (stem, end),
        _ => (part, "weight"),
    };
    if stem == "mlp.gate.e_score_correction_bias" {
        return Some(format!("blk.{layer}.exp_probs_b.bias"));
    }
    let ours = |names: &[(&'static str, &'static str)], stem: &str| {
        let found = names.iter().find(|(theirs, _)| *theirs == stem);
        found.map(|(_, ours)| *ours)
    };
    if let Some(ours) = ours(hub.names, stem).or_else(|| ours(PARTS, stem)) {
        // Some say themselves that they are biases.
        return Some(match ours.ends_with(".bias") {
            true => format!("blk.{layer}.{ours}"),
            false => format!("blk.{layer}.{ours}.{end}"),
        });
    }
    let expert = stem.split_once(".experts.");
    let expert = expert.filter(|(of, _)| ["mlp", "block_sparse_moe"].contains(of));
    let expert = expert.and_then(|(_, it)| it.split_once('.'));
    match expert.and_then(|(ix, part)| Some((ix.parse::<u32>().ok()?, ours(EXPERT, part)?))) {
        Some((ix, ours)) => Some(format!("blk.{layer}.{ours}.{ix}.{end}")),
        None => unknown(),
    }
}
