//! Cases of `embed`.

use puna_core::graph::Embed;
use puna_core::reference::embed::embed;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Split;

use super::{
    Case, KV, Kv, Stage, Variation, Wanted, bits, dispatches, format, formats, normed, step_bytes,
    step_of,
};

const VOCAB: usize = 53;

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // Of the split there is only the size of its units to see.
    let all = variant.split == Split::Serial;
    let formats = formats(variant.extent).filter(|(format, _)| all || format.name == "q4_1");
    // And rows that are no whole blocks, of weights that stand alone.
    for (format, cols) in formats.chain(all.then(|| (format("f16"), 48))) {
        let tokens: &[u32] = if variant.extent.is_everywhere(format) {
            &[1, 13, 65]
        } else {
            &[13]
        };
        for &tokens in tokens {
            let mut stage = Stage::new(500 + cases.len() as u32, KV);
            let table = stage.matrix(format, VOCAB, cols);
            let out = stage.activation(cols);
            let ids: Vec<u32> = (0..tokens)
                .map(|_| stage.random.word() % VOCAB as u32)
                .collect();
            // Most tables are multiplied by 1, and read through a norm.
            let scale = if tokens == 13 { 1.5 } else { 1.0 };
            let next = (tokens != 1).then(|| stage.vector(cols));
            let rows = embed(stage.dense(table), &ids, scale);

            let step = step_of(3, tokens as usize);
            let gain = stage.random.floats(cols);
            let ready = normed(&rows, &gain, variant);
            let setting = stage.setting(variant, KvType::F32);
            let op = Embed { table, scale, out };
            let recipes = kernel::embed::recipes(&op, next, &setting);
            let mut buffers: Vec<_> = stage.planes(table).collect();
            buffers.extend([
                (binding::OUT, vec![0; rows.len()]),
                (binding::IDS, ids),
                (binding::VECTORS, bits(&gain)),
                (binding::NORMED, vec![0; ready.len()]),
            ]);
            cases.push(Case {
                name: format!(
                    "embed {} K {cols} T {tokens} {}",
                    format.name,
                    variant.label()
                ),
                kernel: "embed",
                products: variant.products(),
                kv: Kv(KvType::F32),
                // d·q + m may be one rounding or two: the tolerance of f32.
                magnitude: 0.0,
                exact: false,
                buffers,
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted: match next {
                    Some(_) => vec![
                        Wanted::Floats(binding::OUT, rows),
                        Wanted::Floats(binding::NORMED, ready),
                    ],
                    None => vec![Wanted::Floats(binding::OUT, rows)],
                },
            });
        }
    }
    cases
}
