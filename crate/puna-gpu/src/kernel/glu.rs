//! Host half of `shaders/kernel/glu.wgsl`.

use puna_core::graph::Glu;

use super::{Recipe, Setting, Slot, gate_modules, to_u32};
use crate::projection::{Kind, Rows};

/// The dispatches of the op: one for each part of its matrix.
#[must_use]
pub fn recipes(op: &Glu, setting: &Setting<'_>) -> Vec<Recipe> {
    setting.rows(&Rows {
        kernel: "glu",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: op.norm,
        next: None,
        modules: gate_modules(op.gate),
        constants: &[("WIDTH", to_u32(setting.graph.matrices[op.weight].rows / 2))],
        slots: &[Slot::Out(op.out)],
        wanted_only: false,
        cap: None,
        expert_bias: None,
        kind: Kind::Plain,
    })
}
