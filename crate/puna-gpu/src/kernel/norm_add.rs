//! Host half of `shaders/kernel/norm_add.wgsl`.

use puna_core::graph::{NormAdd, VectorIx};

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::split::WORKGROUP;

/// The dispatch of the op. `next` is the gain of the norm through which the output is read, if it is.
#[must_use]
pub fn recipes(op: &NormAdd, next: Option<VectorIx>, setting: &Setting<'_>) -> Vec<Recipe> {
    let width = to_u32(setting.graph.activations[op.residual].width);
    let unit = setting.split.unit_rows();
    let output = setting.output(op.residual, next);
    let mut slots = vec![
        Slot::Params,
        Slot::X(op.x),
        Slot::Out(op.residual),
        Slot::Own(op.norm.gain),
    ];
    slots.extend(output.slots);
    let mut modules = vec!["lib/params", "lib/own_vector", "lib/sum_of_all"];
    modules.extend(output.modules);
    modules.push("kernel/norm_add");
    vec![Recipe::plain(
        "norm_add",
        format!("norm_add {}", setting.graph.vectors[op.norm.gain].name),
        modules,
        vec![
            ("WORKGROUP", WORKGROUP),
            ("UNIT", unit),
            ("WIDTH", width),
            setting.own4(op.norm.gain),
        ],
        slots,
        Params {
            gain: output.gain,
            eps: op.norm.eps,
            ..Params::default()
        },
        Grid::Tokens {
            x: width.div_ceil(unit * WORKGROUP),
            wanted_only: false,
        },
    )]
}
