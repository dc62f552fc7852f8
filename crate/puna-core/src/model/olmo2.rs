//! `OLMo` 2 (Walsh et al. 2024, arXiv 2501.00656): norms of the outputs of attention and feed-forward, none of their inputs;
//! norms of queries and keys over all heads together.

use super::blocks::{Model, QkNorms};
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::Hub;
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static OLMO2: Architecture = Architecture {
    halves: true,
    keys: &[SCALED_ROPE],
    hubs: &[Hub {
        names: &[("post_attention_layernorm", "post_attention_norm")],
        ..Hub::new("olmo2")
    }],
    ..Architecture::new("olmo2", "OLMo 2", build)
};

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let attend = model.attend();
        model.qkv_normed(layer, None, attend, QkNorms::Together)?;
        model.attention(layer, attend);
        model.output_normed(layer, "post_attention_norm")?;
        model.glu(layer, None, Gate::Silu)?;
        model.down_normed(layer, "post_ffw_norm")?;
    }
    model.head()
}
