//! Host half of `shaders/kernel/linear_add.wgsl`.

use puna_core::graph::{LinearAdd, VectorIx};

use super::{Recipe, Rows, Setting, Slot, to_u32};

/// The dispatches of the op: one for each part of its matrix. `next` is the gain of the norm that reads the output.
#[must_use]
pub fn recipes(op: &LinearAdd, next: VectorIx, setting: &Setting<'_>) -> Vec<Recipe> {
    setting.rows(&Rows {
        kernel: "linear_add",
        matrix: op.weight,
        first_row: 0,
        x: op.x,
        norm: None,
        next: Some(next),
        modules: &["lib/output_norm"],
        constants: &[("WIDTH", to_u32(setting.graph.matrices[op.weight].rows))],
        slots: &[
            Slot::Out(op.residual),
            Slot::Vectors,
            Slot::NormedOut(op.residual),
        ],
        wanted_only: false,
    })
}
