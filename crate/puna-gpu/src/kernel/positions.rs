//! Host half of `shaders/kernel/positions.wgsl`.

use puna_core::graph::Positions;

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::split::WORKGROUP;

/// The dispatch of the op.
#[must_use]
pub fn recipes(op: &Positions, setting: &Setting<'_>) -> Vec<Recipe> {
    let width = to_u32(setting.graph.vectors[op.shift].len);
    vec![Recipe::plain(
        "positions",
        "positions".to_owned(),
        [
            "lib/params",
            "lib/step",
            "lib/vectors",
            "lib/own_vector",
            "kernel/positions",
        ],
        vec![
            ("WORKGROUP", WORKGROUP),
            ("WIDTH", width),
            ("TABLE", u32::from(op.table.is_some())),
            setting.own4(op.shift),
        ],
        vec![
            Slot::Params,
            Slot::Step,
            Slot::Out(op.residual),
            Slot::Vectors,
            Slot::Own(op.shift),
        ],
        Params {
            bias: op.table.map_or(0, |table| setting.gains[table]),
            ..Params::default()
        },
        Grid::Tokens {
            x: width.div_ceil(WORKGROUP),
            wanted_only: false,
        },
    )]
}
