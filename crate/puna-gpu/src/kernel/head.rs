//! Host half of `shaders/kernel/head.wgsl`.

use puna_core::graph::Head;

use super::{Recipe, Setting, Slot, cap_modules, to_u32};
use crate::projection::{Kind, Rows};

/// The dispatches of the op: one for each part of its matrix.
#[must_use]
pub fn recipes(op: &Head, setting: &Setting<'_>) -> Vec<Recipe> {
    setting.rows(&Rows {
        kernel: "head",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: Some(op.norm),
        next: None,
        modules: cap_modules(op.cap),
        constants: &[("WIDTH", to_u32(setting.graph.matrices[op.weight].rows))],
        slots: &[Slot::Logits],
        wanted_only: true,
        cap: op.cap,
        expert_bias: None,
        kind: Kind::Plain,
    })
}
