//! BERT (Devlin et al. 2018, arXiv 1810.04805) as it makes vectors of texts: MiniLM, BGE, E5.

use super::Architecture;
use super::blocks::{Attend, Model};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Activate, Builder, Span};

pub(super) static BERT: Architecture = Architecture {
    norm_eps: "attention.layer_norm_epsilon",
    encodes: true,
    hubs: &[Hub {
        names: NAMES,
        outer: OUTER,
        layers: "encoder.layer.",
        defaults: r#"{"vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
            "intermediate_size": 3072, "max_position_embeddings": 512, "layer_norm_eps": 1e-12, "hidden_act": "gelu"}"#,
        halves: false,
        act: "gelu",
        translate,
        ..Hub::new("bert")
    }],
    ..Architecture::new("bert", "BERT: MiniLM, BGE, E5 (vectors of texts)", build)
};

/// Parts of a layer.
const NAMES: &[(&str, &str)] = &[
    ("attention.self.query", "attn_q"),
    ("attention.self.key", "attn_k"),
    ("attention.self.value", "attn_v"),
    ("attention.output.dense", "attn_output"),
    ("attention.output.LayerNorm", "attn_output_norm"),
    ("intermediate.dense", "ffn_up"),
    ("output.dense", "ffn_down"),
    ("output.LayerNorm", "layer_output_norm"),
];

/// Outside of layers; what is not used has no name.
const OUTER: &[(&str, &str)] = &[
    ("embeddings.word_embeddings.weight", "token_embd.weight"),
    (
        "embeddings.position_embeddings.weight",
        "position_embd.weight",
    ),
    (
        "embeddings.token_type_embeddings.weight",
        "token_types.weight",
    ),
    ("embeddings.LayerNorm.weight", "token_embd_norm.weight"),
    ("embeddings.LayerNorm.bias", "token_embd_norm.bias"),
    ("embeddings.position_ids", ""),
    ("pooler.dense.weight", ""),
    ("pooler.dense.bias", ""),
];

fn translate(settings: &Settings, keys: &mut Keys<'_>) -> Result<()> {
    settings.expect("position_embedding_type", &["\"absolute\""])?;
    settings.expect("is_decoder", &["false"])?;
    if let Some(eps) = settings.f64("layer_norm_eps")? {
        keys.f32("attention.layer_norm_epsilon", eps);
    }
    Ok(())
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    model.positions()?;
    model.layer_norm("token_embd_norm", false)?;
    let layers = model.layers();
    for layer in 0..layers {
        let attend = Attend {
            span: Span::Both,
            rope: None,
            ..model.attend()
        };
        model.qkv_with_bias(layer, None, attend)?;
        model.attention(layer, attend);
        model.output_with_bias(layer)?;
        model.layer_norm(&format!("blk.{layer}.attn_output_norm"), false)?;
        model.mlp(layer, Activate::Gelu)?;
        let is_last = layer + 1 == layers;
        model.layer_norm(&format!("blk.{layer}.layer_output_norm"), is_last)?;
    }
    Ok(())
}
