//! Settings of `config.json` as metadata.

use serde_json::{Map, Value};

use super::{Hub, Keys, POOLING, Settings};
use crate::model::Architecture;
use crate::rope::magnitude;
use crate::weights::header::Metadata;
use crate::{Error, Result};

/// Numbers of things, under both names.
const COUNTS: &[(&str, &str)] = &[
    ("hidden_size", "embedding_length"),
    ("intermediate_size", "feed_forward_length"),
    ("num_hidden_layers", "block_count"),
    ("num_attention_heads", "attention.head_count"),
    ("num_key_value_heads", "attention.head_count_kv"),
    ("head_dim", "attention.key_length"),
    ("head_dim", "attention.value_length"),
    ("vocab_size", "vocab_size"),
    ("max_position_embeddings", "context_length"),
    ("num_local_experts", "expert_count"),
    ("num_experts", "expert_count"),
    ("n_routed_experts", "expert_count"),
    ("num_experts_per_tok", "expert_used_count"),
    ("moe_intermediate_size", "expert_feed_forward_length"),
];

/// Other numbers.
const NUMBERS: &[(&str, &str)] = &[
    ("rms_norm_eps", "attention.layer_norm_rms_epsilon"),
    ("attn_logit_softcapping", "attn_logit_softcapping"),
    ("final_logit_softcapping", "final_logit_softcapping"),
    ("rope_local_base_freq", "rope.freq_base_swa"),
];

/// Settings that change the arithmetic, and the only values of which are supported.
const ARITHMETIC: &[(&str, &[&str])] = &[
    // Weights that others have quantised, FP8 among them.
    ("quantization_config", &[]),
    ("is_encoder_decoder", &["false"]),
    ("use_bidirectional_attention", &["false"]),
    ("logit_scale", &["1"]),
    ("logits_scaling", &["1"]),
    ("residual_multiplier", &["1"]),
    ("embedding_multiplier", &["1"]),
    ("attention_multiplier", &[]),
    ("clip_qkv", &[]),
];

pub(super) fn metadata(
    settings: &Settings,
    architecture: &Architecture,
    hub: &Hub,
    pooling_type: Option<u32>,
) -> Result<Metadata> {
    for (key, known) in ARITHMETIC {
        settings.expect(key, known)?;
    }
    let act = format!("{:?}", hub.act);
    // Where both are there, the second counts.
    let key = ["hidden_activation", "hidden_act"];
    if let Some(key) = key.into_iter().find(|key| settings.get(key).is_some()) {
        settings.expect(key, &[&act])?;
    }
    let mut keys = Keys::new(architecture.name);
    // What an architecture writes itself comes first, and stays.
    (hub.translate)(settings, &mut keys)?;
    for (theirs, ours) in COUNTS {
        if let Some(value) = settings.u32(theirs)? {
            keys.u32(ours, value);
        }
    }
    for (theirs, ours) in NUMBERS {
        if let Some(value) = settings.f64(theirs)? {
            keys.f32(ours, value);
        }
    }
    if let Some(pooling_type) = pooling_type {
        keys.u32("pooling_type", pooling_type);
    }
    keys.hub(hub.halves, hub.gains_less_one);
    window(settings, &mut keys)?;
    rope(settings, architecture, &mut keys)?;
    keys.finish()
}

/// What GGUF calls the one way of pooling that the file of that name asks for.
pub(super) fn pooling_type(bytes: &[u8]) -> Result<u32> {
    const MODES: &[(&str, &str, u32)] = &[
        ("pooling_mode_mean_tokens", "mean", 1),
        ("pooling_mode_cls_token", "cls", 2),
        ("pooling_mode_lasttoken", "lasttoken", 3),
    ];
    let modes: Map<String, Value> = serde_json::from_slice(bytes)
        .map_err(|error| Error::bad_model_file(format!("{POOLING}: {error}")))?;
    // A switch a mode, or, in newer files, the name of one.
    let named = modes.get("pooling_mode").and_then(Value::as_str);
    let mut asked = modes
        .iter()
        .filter(|(key, value)| key.starts_with("pooling_mode_") && **value == Value::Bool(true))
        .map(|(key, _)| key.as_str())
        .chain(named);
    let known = |asked: &str| {
        let found = MODES
            .iter()
            .find(|(key, name, _)| [*key, *name].contains(&asked));
        found.map(|(_, _, number)| *number)
    };
    match (
        asked.next().map(|first| (first, known(first))),
        asked.next(),
    ) {
        (Some((_, Some(number))), None) => Ok(number),
        (first, second) => Err(Error::unsupported_model(format!(
            "{POOLING} asks for {}; only one of mean, cls and lasttoken is supported",
            match (first, second) {
                (Some((first, _)), Some(second)) => format!("{first} and {second}"),
                (Some((first, _)), None) => first.to_owned(),
                (None, _) => "no pooling".to_owned(),
            }
        ))),
    }
}

fn window(settings: &Settings, keys: &mut Keys<'_>) -> Result<()> {
    let used = settings.bool("use_sliding_window")?;
    match settings.u32("sliding_window")? {
        Some(window) if used != Some(false) => {
            keys.u32("attention.sliding_window", window);
        }
        _ => {}
    }
    Ok(())
}

fn rope(settings: &Settings, architecture: &Architecture, keys: &mut Keys<'_>) -> Result<()> {
    // The newer name, which has the base inside, and may have an object a kind of layer.
    let mut scaling = settings.part("rope_parameters");
    if scaling.is_empty() {
        scaling = settings.part("rope_scaling");
    }
    let local = scaling.part("sliding_attention");
    if !local.is_empty() {
        local.expect("rope_type", &["\"default\""])?;
        if let Some(theta) = local.f64("rope_theta")? {
            keys.f32("rope.freq_base_swa", theta);
        }
        scaling = scaling.part("full_attention");
    }
    let theta = scaling.f64("rope_theta")?.or(settings.f64("rope_theta")?);
    if let Some(theta) = theta {
        keys.f32("rope.freq_base", theta);
    }
    let partial = scaling.f64("partial_rotary_factor")?;
    let partial = partial.or(settings.f64("partial_rotary_factor")?);
    if let Some(share) = partial.filter(|share| *share != 1.0) {
        let head_dim = match settings.u32("head_dim")? {
            Some(head_dim) => head_dim,
            None => {
                let width = settings.required_u32("hidden_size")?;
                let heads = settings.required_u32("num_attention_heads")?;
                width.checked_div(heads).unwrap_or_default()
            }
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of dimensions, as its authors round it; what is out of range is refused where it is read"
        )]
        keys.u32("rope.dimension_count", (share * f64::from(head_dim)) as u32);
    }
    let named = scaling.str("rope_type")?.or(scaling.str("type")?);
    let kind = named.unwrap_or("default");
    let original = "original_max_position_embeddings";
    let original = scaling.u32(original)?.or(settings.u32(original)?);
    let factor = scaling.f64("factor")?;
    let attention_factor = scaling.f64("attention_factor")?;
    match kind {
        "default" => return Ok(()),
        "linear" | "llama3" | "yarn" => {
            let factor = factor.ok_or_else(|| scaling.bad("factor", "a number"))?;
            keys.f32("rope.scaling.factor", factor);
            if kind == "yarn" {
                if scaling.bool("truncate")?.unwrap_or(true) != architecture.yarn_truncates {
                    let known = architecture.yarn_truncates.to_string();
                    return Err(scaling.unsupported("truncate", &known));
                }
                yarn(&scaling, factor, keys)?;
            }
        }
        "longrope" | "su" => {
            for (theirs, ours) in [
                ("short_factor", "rope.scaling.short_factor"),
                ("long_factor", "rope.scaling.long_factor"),
            ] {
                let factors = scaling.f64s(theirs)?;
                let factors = factors.ok_or_else(|| scaling.bad(theirs, "a list of numbers"))?;
                keys.f32s(ours, &factors);
            }
            let longest = settings.required_u32("max_position_embeddings")?;
            let original = original
                .ok_or_else(|| settings.bad("original_max_position_embeddings", "an integer"))?;
            let stretch = f64::from(longest) / f64::from(original.max(1));
            let stretch = factor.unwrap_or(stretch);
            // As its authors have it.
            let magnitude = match stretch > 1.0 {
                true => (1.0 + stretch.ln() / f64::from(original).ln()).sqrt(),
                false => 1.0,
            };
            keys.f32(
                "rope.scaling.attn_factor",
                attention_factor.unwrap_or(magnitude),
            );
        }
        _ => {
            let key = match scaling.get("rope_type") {
                Some(_) => "rope_type",
                None => "type",
            };
            return Err(scaling.unsupported(key, "linear, llama3, longrope or yarn"));
        }
    }
    let kind = if kind == "su" { "longrope" } else { kind };
    keys.str("rope.scaling.type", kind);
    if let Some(original) = original {
        keys.u32("rope.scaling.original_context_length", original);
    }
    for key in ["low_freq_factor", "high_freq_factor"] {
        if let Some(value) = scaling.f64(key)? {
            keys.f32(&format!("rope.scaling.{key}"), value);
        }
    }
    Ok(())
}

fn yarn(scaling: &Settings, factor: f64, keys: &mut Keys<'_>) -> Result<()> {
    for (theirs, ours) in [
        ("beta_fast", "rope.scaling.yarn_beta_fast"),
        ("beta_slow", "rope.scaling.yarn_beta_slow"),
    ] {
        if let Some(value) = scaling.f64(theirs)? {
            keys.f32(ours, value);
        }
    }
    if let Some(attention_factor) = scaling.f64("attention_factor")? {
        let usual = magnitude(factor);
        keys.f32("rope.scaling.attn_factor", attention_factor / usual);
    }
    // DeepSeek's: cosines are multiplied by the quotient of both, scores by the square of the second.
    let of_all = scaling.f64("mscale_all_dim")?.filter(|it| *it != 0.0);
    if let Some(of_all) = of_all {
        if scaling.f64("mscale")? != Some(of_all) {
            return Err(scaling.unsupported("mscale", "the same as mscale_all_dim"));
        }
        keys.f32("rope.scaling.yarn_log_multiplier", 0.1 * of_all);
    }
    Ok(())
}
