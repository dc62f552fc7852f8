//! Host half of `shaders/kernel/linear.wgsl`.

use puna_core::graph::{Linear, VectorIx};

use super::{Recipe, Setting, Slot, act_module, to_u32};
use crate::projection::{Kind, Rows};

/// The dispatches of the op: one for each part of its matrix. `next` is the gain of the norm through which the output is
/// read, if it is.
#[must_use]
pub fn recipes(op: &Linear, next: Option<VectorIx>, setting: &Setting<'_>) -> Vec<Recipe> {
    let output = setting.output(op.out, next);
    let mut slots = vec![Slot::Out(op.out)];
    slots.extend(output.slots);
    let bias = setting.bias(op.bias);
    slots.extend(bias.slot);
    let mut constants = vec![("WIDTH", to_u32(setting.graph.matrices[op.weight].rows))];
    constants.extend(bias.constant);
    setting.rows(&Rows {
        kernel: "linear",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: op.norm,
        next,
        modules: &[output.modules, bias.modules, &[act_module(op.activate)]].concat(),
        constants: &constants,
        slots: &slots,
        wanted_only: false,
        cap: None,
        expert_bias: None,
        kind: Kind::Plain,
    })
}
