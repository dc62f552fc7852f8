//! Host half of `shaders/kernel/moe_glu.wgsl`.

use puna_core::graph::MoeGlu;

use super::{Recipe, Setting, Slot, expert_bias_modules, gate_modules, to_u32};
use crate::projection::{ExpertRows, Kind, Rows};

/// The dispatches of the op: one for each part of its matrix.
#[must_use]
pub fn recipes(op: &MoeGlu, setting: &Setting<'_>) -> Vec<Recipe> {
    let matrix = &setting.graph.matrices[op.weight];
    let rows = matrix.rows / op.routing.experts;
    let used = op.routing.used;
    let chosen = setting.chosen(op.chosen, used, rows);
    let mut modules = vec!["lib/chosen"];
    modules.extend(expert_bias_modules(op.bias, &[]));
    let mut slots = vec![Slot::Out(op.out), chosen.slot];
    slots.extend(op.bias.map(|_| Slot::Vectors));
    modules.extend(gate_modules(op.gate));
    let mut constants = chosen.constants.to_vec();
    constants.extend([
        ("WIDTH", to_u32(used * rows / 2)),
        ("SCORES_INPUT", u32::from(op.scores_input)),
    ]);
    setting.rows(&Rows {
        kernel: "moe_glu",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: op.norm,
        next: None,
        modules: &modules,
        constants: &constants,
        slots: &slots,
        wanted_only: false,
        cap: None,
        expert_bias: op.bias,
        kind: Kind::Experts(ExpertRows {
            rows: used * rows,
            cols: matrix.cols,
        }),
    })
}
