//! Phi-3 and Phi-4 (Abdin et al. 2024, arXiv 2404.14219): Llama's block with queries, keys and values in one tensor, gate
//! and up in another; a part of each head rotates.

use super::blocks::{Attend, Model, span};
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::Hub;
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static PHI3: Architecture = Architecture {
    halves: true,
    keys: &[SCALED_ROPE, &["attention.sliding_window"]],
    hubs: &[Hub::new("phi3")],
    ..Architecture::new("phi3", "Phi-3, Phi-4", build)
};

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let attend = Attend {
            span: span(config.sliding_window),
            ..model.attend()
        };
        model.qkv_fused(layer, Some(norm), attend)?;
        model.attention(layer, attend);
        model.output(layer)?;

        let norm = model.norm(layer, "ffn_norm")?;
        model.glu_fused(layer, Some(norm), Gate::Silu)?;
        model.down(layer)?;
    }
    model.head()
}
