//! `SmolLM3` (Hugging Face, 2025): Llama's block, in every fourth layer without rotation (arXiv 2501.18795).
//!
//! GGUF files hold rotation pairs side by side, as Llama's.

use super::blocks::{Attend, Model};
use super::{Architecture, SCALED_ROPE};
use crate::Result;
use crate::checkpoint::{Hub, Keys, Settings};
use crate::config::ModelConfig;
use crate::graph::{Builder, Gate};

pub(super) static SMOLLM3: Architecture = Architecture {
    keys: &[SCALED_ROPE],
    hubs: &[Hub {
        translate,
        ..Hub::new("smollm3")
    }],
    ..Architecture::new("smollm3", "SmolLM3", build)
};

/// Of so many layers the last one does not rotate.
const PERIOD: usize = 4;

fn translate(settings: &Settings, _keys: &mut Keys<'_>) -> Result<()> {
    settings.expect_layers("no_rope_layers", |layer| {
        u32::from(!(layer + 1).is_multiple_of(PERIOD))
    })
}

fn build(config: &ModelConfig, b: &mut Builder<'_>) -> Result<()> {
    let mut model = Model::new(config, b, 1.0)?;
    for layer in 0..model.layers() {
        let norm = model.norm(layer, "attn_norm")?;
        let mut attend = model.attend();
        if (layer + 1).is_multiple_of(PERIOD) {
            attend = Attend {
                rope: None,
                ..attend
            };
        }
        model.qkv(layer, Some(norm), attend)?;
        model.attention(layer, attend);
        model.output(layer)?;

        let norm = model.norm(layer, "ffn_norm")?;
        model.glu(layer, Some(norm), Gate::Silu)?;
        model.down(layer)?;
    }
    model.head()
}
