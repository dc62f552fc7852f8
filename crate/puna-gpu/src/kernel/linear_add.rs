//! Host half of `shaders/kernel/linear_add.wgsl`.

use puna_core::graph::{LinearAdd, VectorIx};

use super::{Recipe, Setting, Slot, to_u32};
use crate::projection::{Kind, Rows};

/// The dispatches of the op: one for each part of its matrix. `next` is the gain of the norm through which the output is
/// read, if it is.
#[must_use]
pub fn recipes(op: &LinearAdd, next: Option<VectorIx>, setting: &Setting<'_>) -> Vec<Recipe> {
    let output = setting.output(op.residual, next);
    let mut slots = vec![Slot::Out(op.residual)];
    slots.extend(output.slots);
    let bias = setting.bias(op.bias);
    slots.extend(bias.slot);
    let mut constants = vec![("WIDTH", to_u32(setting.graph.matrices[op.weight].rows))];
    constants.extend(bias.constant);
    setting.rows(&Rows {
        kernel: "linear_add",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: None,
        next,
        modules: &[output.modules, bias.modules].concat(),
        constants: &constants,
        slots: &slots,
        wanted_only: false,
        cap: None,
        expert_bias: None,
        kind: Kind::Plain,
    })
}
