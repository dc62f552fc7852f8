//! Host half of `shaders/kernel/route.wgsl`.

use puna_core::graph::{Route, Scoring};

use super::{Grid, Params, Recipe, Setting, Slot, to_u32};
use crate::split::WORKGROUP;

/// The dispatch of the op.
#[must_use]
pub fn recipes(op: &Route, setting: &Setting<'_>) -> Vec<Recipe> {
    let routing = op.routing;
    let mut modules = vec!["lib/params"];
    let mut slots = vec![Slot::Params, Slot::X(op.logits), Slot::Out(op.chosen)];
    let groups = routing.groups;
    let mut constants = vec![
        ("WORKGROUP", WORKGROUP),
        ("EXPERTS", to_u32(routing.experts)),
        ("USED", to_u32(routing.used)),
        ("GROUPS", groups.map_or(1, |it| to_u32(it.count))),
        ("USED_GROUPS", groups.map_or(1, |it| to_u32(it.used))),
        ("GROUP_BEST", groups.map_or(1, |it| to_u32(it.best))),
        ("NORMALIZED", u32::from(routing.normalized)),
    ];
    if let Some(bias) = op.bias {
        modules.extend(["lib/own_vector", "lib/selection_bias"]);
        constants.push(setting.own4(bias));
        slots.push(Slot::Own(bias));
    } else {
        modules.push("lib/selection_none");
    }
    modules.push(match routing.scoring {
        Scoring::Softmax => "lib/score_softmax",
        Scoring::Sigmoid => "lib/score_sigmoid",
    });
    modules.push("kernel/route");
    vec![Recipe::plain(
        "route",
        "route".to_owned(),
        modules,
        constants,
        slots,
        Params {
            scale: routing.scale,
            ..Params::default()
        },
        Grid::Flat {
            per_token: WORKGROUP,
            workgroup: WORKGROUP,
        },
    )]
}
