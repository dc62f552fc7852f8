//! Cases of `norm_add`.

use puna_core::graph::{Norm, NormAdd};
use puna_core::reference::{self, norm_add::norm_add};
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    Case, EPS, KV, Kv, Stage, Variation, Wanted, bits, dispatches, normed, step_bytes, step_of,
};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // A part of a workgroup, a whole one, and more than one; read through a norm, or not.
    for (width, is_normed) in [(96, true), (1024, false), (1056, true)] {
        for tokens in [1, 5] {
            let mut stage = Stage::new(800 + cases.len() as u32, KV);
            let (x, residual) = (stage.activation(width), stage.activation(width));
            let input = stage.random.floats(tokens * width);
            let own = stage.random.floats(width);
            let before = stage.random.floats(tokens * width);
            let mut after = before.clone();
            let norm = reference::Norm {
                gain: &own,
                eps: EPS,
            };
            norm_add(&input, norm, &mut after);
            let gain = stage.random.floats(width);
            let ready = normed(&after, &gain, variant);
            let op = NormAdd {
                x,
                norm: Norm {
                    gain: stage.vector(width),
                    eps: EPS,
                },
                residual,
            };
            let next = is_normed.then(|| stage.vector(width));
            let step = step_of(3, tokens);
            let setting = stage.setting(variant, KvType::F32);
            let recipes = kernel::norm_add::recipes(&op, next, &setting);
            let mut wanted = vec![Wanted::Floats(binding::OUT, after)];
            let empty = vec![0; ready.len()];
            wanted.extend(is_normed.then_some(Wanted::Floats(binding::NORMED, ready)));
            cases.push(Case {
                name: format!(
                    "norm_add D {width} T {tokens} normed {is_normed} {}",
                    variant.label()
                ),
                kernel: "norm_add",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: 0.0,
                exact: false,
                buffers: vec![
                    (binding::X, bits(&input)),
                    (binding::OUT, bits(&before)),
                    (binding::OWN, bits(&own)),
                    (binding::VECTORS, bits(&gain)),
                    (binding::NORMED, empty),
                ],
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted,
            });
        }
    }
    cases
}
