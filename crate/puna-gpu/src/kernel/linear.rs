//! Host half of `shaders/kernel/linear.wgsl`.

use puna_core::graph::Linear;

use super::{Recipe, Rows, Setting, Slot, to_u32};

/// The dispatches of the op: one for each part of its matrix.
#[must_use]
pub fn recipes(op: &Linear, setting: &Setting<'_>) -> Vec<Recipe> {
    setting.rows(&Rows {
        kernel: "linear",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: op.norm,
        next: None,
        modules: &[],
        constants: &[("WIDTH", to_u32(setting.graph.matrices[op.weight].rows))],
        slots: &[Slot::Out(op.out)],
        wanted_only: false,
        cap: None,
        experts: None,
    })
}
