//! Host half of `shaders/kernel/qkv.wgsl`.

use puna_core::graph::Qkv;

use super::{Recipe, Setting, Slot, to_u32};
use crate::projection::{Kind, Rows};

/// The dispatches of the op: one for each part of each of its matrices.
#[must_use]
pub fn recipes(op: &Qkv, setting: &Setting<'_>) -> Vec<Recipe> {
    let kv = setting.graph.kv;
    let q_rows = to_u32(op.heads * kv.head_dim);
    let rows = q_rows + to_u32(kv.heads * kv.head_dim);
    let rotation = setting.rotation(op.rope.filter(|_| !op.normed_later));
    let mut constants = setting.kv_constants(op.heads).to_vec();
    constants.extend([
        ("QUERY_ROWS", if op.normed_later { rows } else { q_rows }),
        ("ROTATED_ROWS", if op.normed_later { 0 } else { rows }),
    ]);
    constants.extend(rotation.constant);
    let mut modules = setting.kv_store().to_vec();
    modules.push(rotation.module);
    let mut slots = vec![Slot::Out(op.query), setting.kv_slot(op.layer)];
    slots.extend(rotation.slot);
    let bias = setting.bias(op.bias);
    modules.extend(bias.modules);
    constants.extend(bias.constant);
    slots.extend(bias.slot);
    let projections = op.weights.iter();
    projections
        .flat_map(|projection| {
            setting.rows(&Rows {
                kernel: "qkv",
                matrix: projection.matrix,
                first_row: projection.first_row,
                x: op.x,
                norm: op.norm,
                next: None,
                modules: &modules,
                constants: &constants,
                slots: &slots,
                wanted_only: false,
                cap: None,
                expert_bias: None,
                kind: Kind::Plain,
            })
        })
        .collect()
}
