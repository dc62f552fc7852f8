//! Host half of `shaders/kernel/head_linear.wgsl`.

use puna_core::graph::HeadLinear;

use super::{Recipe, Setting, Slot, to_u32};
use crate::projection::{Kind, Rows};

/// The dispatches of the op: one for each part of its matrix.
#[must_use]
pub fn recipes(op: &HeadLinear, setting: &Setting<'_>) -> Vec<Recipe> {
    let width = |ix: usize| setting.graph.activations[ix].width;
    let rows = setting.graph.matrices[op.weight].rows / op.heads;
    setting.rows(&Rows {
        kernel: "head_linear",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: None,
        next: None,
        modules: &[],
        constants: &[
            ("WIDTH", to_u32(width(op.out))),
            ("HEAD_ROWS", to_u32(rows)),
            ("OUT_EACH", to_u32(width(op.out) / op.heads)),
            ("X_HEADS", to_u32(op.heads)),
            ("X_EACH", to_u32(width(op.x) / op.heads)),
        ],
        slots: &[Slot::Out(op.out)],
        wanted_only: false,
        cap: None,
        expert_bias: None,
        kind: Kind::Heads,
    })
}
