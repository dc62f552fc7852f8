//! Qwen2 and Qwen2.5 (Yang et al. 2024, arXiv 2407.10671): Llama's block with biases of queries, keys and values.

use super::blocks::Model;
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::Hub;
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static QWEN2: Architecture = Architecture {
    halves: true,
    keys: &[SCALED_ROPE],
    hubs: &[Hub::new("qwen2")],
    ..Architecture::new("qwen2", "Qwen2, Qwen2.5, the distillations of R1", build)
};

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let attend = model.attend();
        model.qkv_with_bias(layer, Some(norm), attend)?;
        model.attention(layer, attend);
        model.output(layer)?;

        let norm = model.norm(layer, "ffn_norm")?;
        model.glu(layer, Some(norm), Gate::Silu)?;
        model.down(layer)?;
    }
    model.head()
}
