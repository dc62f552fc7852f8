//! Host half of `shaders/kernel/latent.wgsl`.

use puna_core::graph::Latent;

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::split::WORKGROUP;

/// The dispatch of the op.
#[must_use]
pub fn recipes(op: &Latent, setting: &Setting<'_>) -> Vec<Recipe> {
    let rotation = setting.rotation(Some(op.rope));
    let mut slots = vec![
        Slot::Params,
        Slot::Step,
        Slot::X(op.x),
        Slot::X2(op.q),
        Slot::Out(op.query),
        setting.kv_slot(op.layer),
        Slot::Own(op.norm.gain),
    ];
    slots.extend(rotation.slot);
    let mut constants = setting.kv_constants(op.heads).to_vec();
    let each = setting.graph.activations[op.q].width / op.heads;
    constants.extend([
        ("WORKGROUP", WORKGROUP),
        ("QUERY_EACH", to_u32(each)),
        setting.own4(op.norm.gain),
    ]);
    constants.extend(rotation.constant);
    let mut modules = vec!["lib/params", "lib/step", "lib/own_vector", "lib/sum_of_all"];
    modules.extend(setting.kv_store());
    modules.extend([rotation.module, "kernel/latent"]);
    vec![Recipe::plain(
        "latent",
        format!("latent {}", op.layer),
        modules,
        constants,
        slots,
        Params {
            eps: op.norm.eps,
            ..Params::default()
        },
        Grid::Tokens {
            x: to_u32(op.heads) + 1,
            wanted_only: false,
        },
    )]
}
