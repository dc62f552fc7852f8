//! Host half of `shaders/kernel/embed.wgsl`.

use puna_core::graph::{Embed, VectorIx};
use puna_core::quant::BLOCK_LEN;

use super::{Grid, Params, Recipe, Setting, Slot, shape, to_u32, weight_modules, weight_slots};
use crate::shader::variant::Precision;
use crate::split::WORKGROUP;

/// The dispatches of the op: one for each part of its table. `next` is the gain of the norm through which the output is
/// read, if it is.
#[must_use]
pub fn recipes(op: &Embed, next: Option<VectorIx>, setting: &Setting<'_>) -> Vec<Recipe> {
    let matrix = &setting.graph.matrices[op.table];
    let mut modules = weight_modules(matrix.format, Precision::F32);
    let output = setting.output(op.out, next);
    let others = ["lib/params", "lib/step"].iter().chain(output.modules);
    modules.extend(
        others
            .chain(&["kernel/embed"])
            .map(|&module| module.to_owned()),
    );
    let mut constants = shape(matrix.cols).to_vec();
    constants.extend([
        ("WORKGROUP", WORKGROUP),
        ("UNIT", setting.split.unit_rows()),
        ("WIDTH", to_u32(matrix.cols)),
    ]);
    let parts = setting.parts[op.table].iter().enumerate();
    parts
        .map(|(part, &(first_row, rows))| {
            let mut slots = weight_slots(matrix.format, op.table, part);
            slots.extend([Slot::Params, Slot::Step, Slot::Out(op.out), Slot::Ids]);
            slots.extend(&output.slots);
            let params = Params {
                first_row: to_u32(first_row),
                rows: to_u32(rows),
                gain: output.gain,
                scale: op.scale,
                ..Params::default()
            };
            let grid = Grid::Flat {
                per_token: to_u32(matrix.cols.div_ceil(BLOCK_LEN)),
                workgroup: WORKGROUP,
            };
            let (modules, constants) = (modules.clone(), constants.clone());
            let label = format!("embed {}", matrix.name);
            Recipe::plain("embed", label, modules, constants, slots, params, grid)
        })
        .collect()
}
