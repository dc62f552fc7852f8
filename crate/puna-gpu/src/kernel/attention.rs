//! Host half of `shaders/kernel/attention.wgsl`.

use puna_core::graph::Attention;

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::shader::variant::{Precision, Variant};
use crate::split::{Split, WORKGROUP};

/// The op's one dispatch.
#[must_use]
pub fn recipes(op: &Attention, setting: &Setting<'_>) -> Vec<Recipe> {
    let modules = [
        "lib/step",
        setting.kv_module(),
        "kernel/attention",
        setting.split.attention_module(),
    ];
    let mut constants = vec![("WORKGROUP", WORKGROUP)];
    constants.extend(setting.kv_constants(op.heads));
    let slots = vec![
        Slot::Step,
        Slot::X(op.query),
        Slot::Out(op.out),
        Slot::Kv(op.layer),
    ];
    let heads = to_u32(op.heads);
    let grid = match setting.split {
        Split::Serial => Grid::Flat {
            per_token: heads,
            workgroup: WORKGROUP,
        },
        _ => Grid::PerToken(heads),
    };
    vec![Recipe {
        label: format!("attention {}", op.layer),
        variant: Variant {
            kernel: "attention",
            modules: modules.map(str::to_owned).to_vec(),
            constants,
            bindings: slots.iter().map(|slot| slot.binding()).collect(),
            precision: Precision::F32,
            subgroups: false,
        },
        slots,
        params: Params::default(),
        grid,
    }]
}
