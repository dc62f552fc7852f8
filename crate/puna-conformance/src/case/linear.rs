//! Cases of `linear`.

use puna_core::graph::{Activate, Linear, Norm};
use puna_core::reference::{self, linear::linear};
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    Case, EPS, KV, Kv, Stage, Variation, Wanted, bits, dispatches, format, magnitude, normed,
    others, padded, step_bytes, step_of,
};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // An odd number of rows, as few as a router has; an input as it is, and one behind a norm.
    let own = [
        (format("q4_1"), 7, 96, false),
        (format("q4_1"), 64, 96, true),
        // Rows that are no whole blocks, of weights that stand alone.
        (format("f16"), 32, 48, false),
    ];
    let others = others(variant, "q4_1").map(|(format, cols)| (format, 34, cols, false));
    for (format, rows, cols, has_norm) in own.into_iter().chain(others) {
        for &tokens in variant.tokens() {
            let mut stage = Stage::new(700 + cases.len() as u32, KV);
            let weight = stage.matrix(format, rows, cols);
            let (x, out) = (stage.activation(cols), stage.activation(rows));
            let input = stage.random.floats(tokens * cols);
            let gain = stage.random.floats(cols);
            let norm = has_norm.then_some(reference::Norm {
                gain: &gain,
                eps: EPS,
            });
            // One shape has a bias.
            let bias = (rows == 7).then(|| stage.random.floats(rows));
            // So do values that are far from 0, and near it.
            let activate = (cols == 48).then_some(Activate::Gelu);
            let projected = linear(stage.dense(weight), &input, norm, bias.as_deref(), activate);
            let op = Linear {
                weight,
                x,
                norm: has_norm.then(|| Norm {
                    gain: stage.vector(cols),
                    eps: EPS,
                }),
                bias: bias.as_ref().map(|_| stage.vector(rows)),
                activate,
                out,
            };
            let step = step_of(3, tokens);
            // What is read through a norm has whole units of rows.
            let next = (rows == 64).then(|| stage.vector(rows));
            let after = stage.random.floats(rows);
            let ready = normed(&projected, &after, variant);
            let recipes = kernel::linear::recipes(&op, next, &stage.setting(variant, KvType::F32));
            let input = match has_norm {
                true => normed(&input, &gain, variant),
                false => input,
            };
            let mut buffers: Vec<_> = stage.planes(weight).collect();
            buffers.extend([
                (binding::X, bits(&input)),
                (binding::OUT, vec![0; projected.len()]),
                (binding::VECTORS, bits(&after)),
                (binding::NORMED, vec![0; ready.len()]),
            ]);
            buffers.extend(bias.map(|bias| (binding::OWN, padded(&bias))));
            let mut wanted = vec![Wanted::Floats(binding::OUT, projected)];
            wanted.extend(next.map(|_| Wanted::Floats(binding::NORMED, ready)));
            cases.push(Case {
                name: format!(
                    "linear {} R {rows} K {cols} T {tokens} norm {has_norm} {}",
                    format.name,
                    variant.label()
                ),
                kernel: "linear",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: magnitude(cols),
                exact: false,
                buffers,
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted,
            });
        }
    }
    cases
}
