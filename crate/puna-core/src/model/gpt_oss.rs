//! gpt-oss (OpenAI 2025, arXiv 2508.10925): biases everywhere, a sink a head, windows in every other layer, experts of which
//! the best ones share their weights by softmax.

use super::blocks::{Attend, Model, span};
use super::experts::Experts;
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static GPT_OSS: Architecture = Architecture {
    halves: true,
    keys: &[SCALED_ROPE, &["attention.sliding_window", "expert_count"]],
    hubs: &[Hub {
        names: NAMES,
        defaults: r#"{"head_dim": 64, "sliding_window": 128, "swiglu_limit": 7, "rope_theta": 150000, "attention_bias": true,
            "rope_scaling": {"rope_type": "yarn", "factor": 32, "beta_fast": 32, "beta_slow": 1, "truncate": false,
                "original_max_position_embeddings": 4096}}"#,
        translate,
        ..Hub::new("gpt_oss")
    }],
    rope_theta: 150_000.0,
    yarn_truncates: false,
    ..Architecture::new("gpt-oss", "gpt-oss", build)
};

/// Parts of a layer; experts are stored with columns as rows.
const NAMES: &[(&str, &str)] = &[
    ("post_attention_layernorm", "post_attention_norm"),
    ("self_attn.sinks", "attn_sinks"),
    ("mlp.router", "ffn_gate_inp"),
    ("mlp.experts.gate_up_proj", "ffn_gate_up_pairs_exps_t"),
    (
        "mlp.experts.gate_up_proj_bias",
        "ffn_gate_up_pairs_exps.bias",
    ),
    ("mlp.experts.down_proj", "ffn_down_exps_t"),
    ("mlp.experts.down_proj_bias", "ffn_down_exps.bias"),
];

/// Of so many layers, all but the last see a window.
const PERIOD: usize = 2;

fn translate(settings: &Settings, _keys: &mut Keys<'_>) -> Result<()> {
    settings.expect("swiglu_limit", &["7"])?;
    settings.expect("attention_bias", &["true"])?;
    settings.expect_layers("layer_types", |layer| match sees_all(layer) {
        true => "full_attention",
        false => "sliding_attention",
    })
}

const fn sees_all(layer: usize) -> bool {
    (layer + 1).is_multiple_of(PERIOD)
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let window = config.sliding_window.filter(|_| !sees_all(layer));
        let attend = Attend {
            span: span(window),
            sinks: Some(model.sinks(layer)?),
            ..model.attend()
        };
        model.qkv_with_bias(layer, Some(norm), attend)?;
        model.attention(layer, attend);
        model.output_with_bias(layer)?;

        let norm = model.norm(layer, "post_attention_norm")?;
        let experts = Experts {
            routing: model.softmax_routing(),
            gate: Gate::ClampedSwish,
            scores_input: false,
            biased_choice: false,
            biased: true,
            shared: 0,
        };
        model.experts(layer, Some(norm), &experts)?;
    }
    model.head()
}
