//! Host half of `shaders/kernel/layer_norm.wgsl`.

use puna_core::graph::LayerNorm;

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::split::WORKGROUP;

/// The dispatch of the op.
#[must_use]
pub fn recipes(op: &LayerNorm, setting: &Setting<'_>) -> Vec<Recipe> {
    let gain = &setting.graph.vectors[op.gain];
    vec![Recipe::plain(
        "layer_norm",
        format!("layer_norm {}", gain.name),
        [
            "lib/params",
            "lib/step",
            "lib/vectors",
            "lib/sum_of_all",
            "kernel/layer_norm",
        ],
        vec![
            ("WORKGROUP", WORKGROUP),
            ("WIDTH", to_u32(gain.len)),
            ("IS_LAST", u32::from(op.out.is_none())),
        ],
        vec![
            Slot::Params,
            Slot::Step,
            Slot::X(op.x),
            op.out.map_or(Slot::Logits, Slot::Out),
            Slot::Vectors,
        ],
        Params {
            gain: setting.gains[op.gain],
            bias: setting.gains[op.bias],
            eps: op.eps,
            ..Params::default()
        },
        Grid::Tokens {
            x: 1,
            wanted_only: op.out.is_none(),
        },
    )]
}
