//! Cases of `moe_down`.

use puna_core::graph::MoeDown;
use puna_core::reference::moe_down::moe_down;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    Case, KV, Kv, MOST_TOKENS, Stage, Variation, Wanted, bits, dispatches, format, magnitude,
    normed, others, step_bytes, step_of,
};
use crate::experts::{PLAIN, choices, packed};

/// `D`.
const WIDTH: usize = 96;

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    let routing = PLAIN;
    let own = [(format("q4_1"), 96, true), (format("q4_1"), 32, false)];
    let others = others(variant, "q4_1").map(|(format, cols)| (format, cols, true));
    for (format, cols, is_normed) in own.into_iter().chain(others) {
        for tokens in [1, 7] {
            let mut stage = Stage::new(1300 + cases.len() as u32, KV);
            let weight = stage.matrix(format, routing.experts * WIDTH, cols);
            let (x, residual) = (
                stage.activation(routing.used * cols),
                stage.activation(WIDTH),
            );
            let chosen = stage.activation(2 * routing.used);
            let input = stage.random.floats(tokens * routing.used * cols);
            let before = stage.random.floats(tokens * WIDTH);
            let choices = choices(&mut stage.random, routing, tokens);
            let mut after = before.clone();
            moe_down(stage.dense(weight), &input, &choices, &mut after);
            let gain = stage.random.floats(WIDTH);
            let ready = normed(&after, &gain, variant);
            let op = MoeDown {
                weight,
                x,
                chosen,
                routing,
                residual,
            };
            let next = is_normed.then(|| stage.vector(WIDTH));
            let step = step_of(3, tokens);
            let setting = stage.setting(variant, KvType::F32);
            let recipes = kernel::moe_down::recipes(&op, next, &setting);
            let mut words = packed(&choices);
            words.resize(MOST_TOKENS * 2 * routing.used, 0);
            let mut buffers: Vec<_> = stage.planes(weight).collect();
            buffers.extend([
                (binding::X, bits(&input)),
                (binding::OUT, bits(&before)),
                (binding::CHOSEN, words),
                (binding::VECTORS, bits(&gain)),
                (binding::NORMED, vec![0; ready.len()]),
            ]);
            let mut wanted = vec![Wanted::Floats(binding::OUT, after)];
            wanted.extend(is_normed.then_some(Wanted::Floats(binding::NORMED, ready)));
            cases.push(Case {
                name: format!(
                    "moe_down {} K {cols} T {tokens} {}",
                    format.name,
                    variant.label()
                ),
                kernel: "moe_down",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: magnitude(routing.used * cols),
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
