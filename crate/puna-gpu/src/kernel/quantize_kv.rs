//! Host half of `shaders/kernel/quantize_kv.wgsl`.

use puna_core::graph::KvShape;

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::shader::variant::{KvType, kv_block};
use crate::split::WORKGROUP;

/// Bytes of the keys and values of so many tokens before they are rounded.
#[must_use]
pub fn fresh_bytes(shape: KvShape, kv: KvType, tokens: usize) -> u64 {
    match kv {
        KvType::F16 | KvType::F32 => 0,
        KvType::Q8 => shape.layer_elements(tokens) as u64 * 4,
    }
}

/// What brings a layer's keys and values into a cache whose elements are rounded a block at a time; nothing for another.
#[must_use]
pub fn recipes(layer: usize, setting: &Setting<'_>) -> Vec<Recipe> {
    if setting.kv != KvType::Q8 {
        return Vec::new();
    }
    let kv = setting.graph.kv;
    let mut constants = setting.kv_constants(0).to_vec();
    constants.push(("WORKGROUP", WORKGROUP));
    let modules = ["lib/step", "lib/kv", "lib/kv_q8", "kernel/quantize_kv"];
    vec![Recipe::plain(
        "quantize_kv",
        format!("quantize_kv {layer}"),
        modules,
        constants,
        vec![Slot::Step, Slot::FreshKvX, Slot::Kv(layer)],
        Params::default(),
        Grid::Flat {
            per_token: to_u32(kv.layer_elements(1) / kv_block(kv.head_dim)),
            workgroup: WORKGROUP,
        },
    )]
}
