//! Cases of `positions`.

use puna_core::graph::Positions;
use puna_core::places::{Place, Places};
use puna_core::reference::positions::positions;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    Case, KV, Kv, Stage, Variation, Wanted, apart_name, bits, dispatches, in_a_row, padded,
    step_bytes, step_of,
};

/// Positions of the table.
const COUNT: usize = 12;
/// What stands in front of the table among the vectors.
const BEFORE: usize = 5;

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    let with_table = [(36, 0, 1), (36, 3, 7), (200, 0, COUNT)].map(|it| (it, true));
    let apart = [COUNT - 1, 0, 7].map(|position| Place {
        first_row: 0,
        position,
    });
    let apart = Places::each(&apart);
    let in_rows = with_table.into_iter().chain([((36, 3, 7), false)]);
    let in_rows = in_rows.map(|((width, position, tokens), has_table)| {
        (width, in_a_row(position), tokens, has_table)
    });
    for (width, places, tokens, has_table) in in_rows.chain([(36, apart, 3, true)]) {
        let mut stage = Stage::new(1500 + cases.len() as u32, KV);
        let residual = stage.activation(width);
        let vectors = stage.random.floats(BEFORE + COUNT * width);
        let shift = stage.random.floats(width);
        let before = stage.random.floats(tokens * width);
        let mut after = before.clone();
        let table = has_table.then(|| stage.vector(COUNT * width));
        let rows = has_table.then_some(&vectors[BEFORE..]);
        positions(rows, &shift, &places, &mut after);
        let op = Positions {
            table,
            shift: stage.vector(width),
            residual,
        };
        let step = step_of(places.clone(), tokens);
        let mut setting = stage.setting(variant, KvType::F32);
        if let Some(table) = table {
            setting.gains[table] = BEFORE as u32;
        }
        let recipes = kernel::positions::recipes(&op, &setting);
        cases.push(Case {
            name: format!(
                "positions D {width} S {} T {tokens}{}{}",
                places.of(0).position,
                apart_name(&places),
                if has_table { "" } else { " no table" }
            ),
            kernel: "positions",
            products: variant.products(),
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: false,
            buffers: vec![
                (binding::OUT, bits(&before)),
                (binding::VECTORS, bits(&vectors)),
                (binding::OWN, padded(&shift)),
            ],
            step: step_bytes(&step),
            dispatches: dispatches(recipes, &step),
            wanted: vec![Wanted::Floats(binding::OUT, after)],
        });
    }
    cases
}
