//! Qwen3 (Yang et al. 2025, arXiv 2505.09388): Llama's block with norms of each head's queries and keys.

use super::blocks::{Model, QkNorms};
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::Hub;
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static QWEN3: Architecture = Architecture {
    halves: true,
    keys: &[SCALED_ROPE],
    hubs: &[Hub::new("qwen3")],
    ..Architecture::new("qwen3", "Qwen3", build)
};

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let attend = model.attend();
        model.qkv_normed(layer, Some(norm), attend, QkNorms::Heads)?;
        model.attention(layer, attend);
        model.output(layer)?;

        let norm = model.norm(layer, "ffn_norm")?;
        model.glu(layer, Some(norm), Gate::Silu)?;
        model.down(layer)?;
    }
    model.head()
}
