//! Host half of `shaders/kernel/norm_add.wgsl`.

use puna_core::graph::{NormAdd, VectorIx};

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::shader::variant::{Precision, Variant};
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
    let modules = [
        "lib/params",
        "lib/own_vector",
        output.module,
        "kernel/norm_add",
    ];
    vec![Recipe {
        label: format!("norm_add {}", setting.graph.vectors[op.norm.gain].name),
        variant: Variant {
            kernel: "norm_add",
            modules: modules.map(str::to_owned).to_vec(),
            constants: vec![
                ("WORKGROUP", WORKGROUP),
                ("UNIT", unit),
                ("WIDTH", width),
                setting.own4(op.norm.gain),
            ],
            bindings: slots.iter().map(|slot| slot.binding()).collect(),
            precision: Precision::F32,
            subgroups: false,
        },
        slots,
        params: Params {
            gain: output.gain,
            eps: op.norm.eps,
            ..Params::default()
        },
        grid: Grid::Tokens {
            x: width.div_ceil(unit * WORKGROUP),
        },
        job: None,
    }]
}
