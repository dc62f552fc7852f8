//! Host half of `shaders/kernel/moe_down.wgsl`.

use puna_core::graph::{MoeDown, VectorIx};

use super::{Recipe, Setting, Slot, expert_bias_modules, to_u32};
use crate::projection::{ExpertRows, Kind, Rows};

/// The dispatches of the op: one for each part of its matrix. `next` is the gain of the norm through which the output is
/// read, if it is.
#[must_use]
pub fn recipes(op: &MoeDown, next: Option<VectorIx>, setting: &Setting<'_>) -> Vec<Recipe> {
    let matrix = &setting.graph.matrices[op.weight];
    let rows = matrix.rows / op.routing.experts;
    let used = op.routing.used;
    let chosen = setting.chosen(op.chosen, used, rows);
    let output = setting.output(op.residual, next);
    let mut slots = vec![Slot::Out(op.residual), chosen.slot];
    slots.extend(output.slots);
    let mut constants = chosen.constants.to_vec();
    constants.push(("WIDTH", to_u32(rows)));
    let mut modules = vec!["lib/chosen"];
    modules.extend(expert_bias_modules(op.bias, output.modules));
    if op.bias.is_some() && next.is_none() {
        slots.push(Slot::Vectors);
    }
    setting.rows(&Rows {
        kernel: "moe_down",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: None,
        next,
        modules: &modules,
        constants: &constants,
        slots: &slots,
        wanted_only: false,
        cap: None,
        expert_bias: op.bias,
        kind: Kind::Experts(ExpertRows {
            rows,
            cols: used * matrix.cols,
        }),
    })
}
