//! Host half of `shaders/kernel/qkv.wgsl`.

use puna_core::graph::Qkv;

use super::{Recipe, Rows, Setting, Slot};
use crate::shader::variant::KvType;

/// The dispatches of the op: one for each part of each of its matrices.
#[must_use]
pub fn recipes(op: &Qkv, setting: &Setting<'_>) -> Vec<Recipe> {
    let mut constants = setting.kv_constants(op.heads).to_vec();
    constants.push(("ROPE_DIMS", setting.graph.rope.dims));
    let store = match setting.kv {
        KvType::F16 => "lib/kv_store_f16",
        KvType::F32 => "lib/kv_store_f32",
    };
    let projections = op.weights.iter();
    projections
        .flat_map(|projection| {
            setting.rows(&Rows {
                kernel: "qkv",
                matrix: projection.matrix,
                first_row: projection.first_row,
                x: op.x,
                norm: Some(op.eps),
                next: None,
                modules: &["lib/kv", store],
                constants: &constants,
                slots: &[Slot::Out(op.query), Slot::Kv(op.layer), Slot::Rope],
                wanted_only: false,
            })
        })
        .collect()
}
