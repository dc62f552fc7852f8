//! Llama 4 (Meta 2025), its text: layers that see chunks of the context and rotate, between layers that see all of it and do
//! not rotate; in every other layer or in all an expert is chosen whose input is multiplied by its score, beside one that is
//! always used.

use super::blocks::{Attend, Model, QkNorms};
use super::experts::Experts;
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate, Routing, Scoring, Span, Temperature};

pub(super) static LLAMA4: Architecture = Architecture {
    keys: &[
        SCALED_ROPE,
        &[
            "expert_count",
            "interleave_moe_layer_step",
            "attention.chunk_size",
            "attention.temperature_scale",
            "attention.temperature_length",
        ],
    ],
    hubs: &[Hub {
        names: NAMES,
        defaults: r#"{"attn_temperature_tuning": true, "attn_scale": 0.1, "floor_scale": 8192, "attention_chunk_size": 8192,
            "interleave_moe_layer_step": 1}"#,
        halves: false,
        translate,
        ..Hub::new("llama4_text")
    }],
    rope_theta: 500_000.0,
    ..Architecture::new("llama4", "Llama 4 (its text)", build)
};

/// Of so many layers the last one sees all positions, and does not rotate.
const PERIOD: usize = 4;
/// Where the file does not say: all models that were released have it.
const CHUNK: u32 = 8192;
/// Where the file does not say.
const TEMPERATURE: Temperature = Temperature {
    scale: 0.1,
    every: 8192,
};
/// The model of so many experts is the one without norms of queries and keys.
const EXPERTS_OF_MAVERICK: u32 = 128;

/// Parts of a layer; experts are stored with columns as rows.
const NAMES: &[(&str, &str)] = &[
    ("feed_forward.gate_proj", "ffn_gate"),
    ("feed_forward.up_proj", "ffn_up"),
    ("feed_forward.down_proj", "ffn_down"),
    ("feed_forward.router", "ffn_gate_inp"),
    ("feed_forward.shared_expert.gate_proj", "ffn_gate_shexp"),
    ("feed_forward.shared_expert.up_proj", "ffn_up_shexp"),
    ("feed_forward.shared_expert.down_proj", "ffn_down_shexp"),
    ("feed_forward.experts.gate_up_proj", "ffn_gate_up_exps_t"),
    ("feed_forward.experts.down_proj", "ffn_down_exps_t"),
];

fn translate(settings: &Settings, keys: &mut Keys<'_>) -> Result<()> {
    settings.expect("attn_temperature_tuning", &["true", "4"])?;
    settings.expect_layers("no_rope_layers", |layer| {
        u32::from(!(layer + 1).is_multiple_of(PERIOD))
    })?;
    let is_maverick = settings.u32("num_local_experts")? == Some(EXPERTS_OF_MAVERICK);
    settings.expect("use_qk_norm", &[if is_maverick { "false" } else { "true" }])?;
    for (theirs, ours) in [
        ("intermediate_size_mlp", "feed_forward_length"),
        ("intermediate_size", "expert_feed_forward_length"),
        ("interleave_moe_layer_step", "interleave_moe_layer_step"),
        ("attention_chunk_size", "attention.chunk_size"),
        ("floor_scale", "attention.temperature_length"),
    ] {
        keys.u32(ours, settings.required_u32(theirs)?);
    }
    if let Some(scale) = settings.f64("attn_scale")? {
        keys.f32("attention.temperature_scale", scale);
    }
    Ok(())
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let sees_all = (layer + 1).is_multiple_of(PERIOD);
        let attend = if sees_all {
            Attend {
                rope: None,
                temperature: config.temperature.unwrap_or(TEMPERATURE),
                ..model.attend()
            }
        } else {
            Attend {
                span: Span::Chunk(config.attention_chunk_size.unwrap_or(CHUNK)),
                ..model.attend()
            }
        };
        // The models norm what has been rotated, which is the same: a rotation changes no length.
        if sees_all || config.num_experts == EXPERTS_OF_MAVERICK {
            model.qkv(layer, Some(norm), attend)?;
        } else {
            model.qkv_normed(layer, Some(norm), attend, QkNorms::Plain)?;
        }
        model.attention(layer, attend);
        model.output(layer)?;

        let norm = model.norm(layer, "ffn_norm")?;
        if config.num_experts > 0 && (layer + 1).is_multiple_of(config.moe.interleave_step as usize)
        {
            let experts = Experts {
                routing: Routing {
                    experts: config.num_experts as usize,
                    used: config.num_experts_per_tok as usize,
                    scoring: Scoring::Sigmoid,
                    groups: None,
                    normalized: false,
                    scale: 1.0,
                },
                gate: Gate::Silu,
                scores_input: true,
                biased_choice: false,
                biased: false,
                shared: config.moe_intermediate_size as usize,
            };
            model.experts(layer, Some(norm), &experts)?;
        } else {
            model.glu(layer, Some(norm), Gate::Silu)?;
            model.down(layer)?;
        }
    }
    model.head()
}
