//! Host half of `shaders/kernel/qk_norm.wgsl`.

use puna_core::graph::QkNorm;

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::split::WORKGROUP;

/// The dispatch of the op.
#[must_use]
pub fn recipes(op: &QkNorm, setting: &Setting<'_>) -> Vec<Recipe> {
    let rotation = setting.rotation(op.rope);
    let kv = setting.graph.kv;
    let of_queries = if op.together {
        op.heads * kv.head_dim
    } else {
        kv.head_dim
    };
    let mut slots = vec![
        Slot::Params,
        Slot::Step,
        Slot::X(op.x),
        Slot::Out(op.query),
        setting.kv_slot(op.layer),
        Slot::Own(op.gains),
    ];
    slots.extend(rotation.slot);
    let mut constants = setting.kv_constants(op.heads).to_vec();
    constants.extend([
        ("WORKGROUP", WORKGROUP),
        ("TOGETHER", u32::from(op.together)),
        ("QUERY_GAINS", to_u32(of_queries)),
        setting.own4(op.gains),
    ]);
    constants.extend(rotation.constant);
    let mut modules = vec!["lib/params", "lib/step", "lib/own_vector", "lib/sum_of_all"];
    modules.extend(setting.kv_store());
    modules.extend([rotation.module, "kernel/qk_norm"]);
    vec![Recipe::plain(
        "qk_norm",
        format!("qk_norm {}", op.layer),
        modules,
        constants,
        slots,
        Params {
            eps: op.eps,
            ..Params::default()
        },
        Grid::Tokens {
            x: to_u32(op.heads + kv.heads),
            wanted_only: false,
        },
    )]
}
