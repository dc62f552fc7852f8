//! Host half of `shaders/kernel/gate_up.wgsl`.

use puna_core::graph::GateUp;

use super::{Grid, Params, Recipe, Setting, Slot, gate_modules, to_u32};
use crate::split::WORKGROUP;

/// The dispatch of the op.
#[must_use]
pub fn recipes(op: &GateUp, setting: &Setting<'_>) -> Vec<Recipe> {
    let width = to_u32(setting.graph.activations[op.up].width);
    let modules = gate_modules(op.gate).iter().chain(&["kernel/gate_up"]);
    vec![Recipe::plain(
        "gate_up",
        format!("gate_up {}", setting.graph.activations[op.up].name),
        modules.copied(),
        vec![("WORKGROUP", WORKGROUP), ("WIDTH", width)],
        vec![Slot::X(op.x), Slot::Out(op.up)],
        Params::default(),
        Grid::Tokens {
            x: width.div_ceil(WORKGROUP),
            wanted_only: false,
        },
    )]
}
