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
    let own = [
        (format("q4_1"), 96, true, false),
        (format("q4_1"), 32, false, false),
        (format("q4_1"), 96, true, true),
        (format("q4_1"), 32, false, true),
    ];
    let others = others(variant, "q4_1").map(|(format, cols)| (format, cols, true, false));
    for (format, cols, is_normed, has_bias) in own.into_iter().chain(others) {
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
            let rows = routing.experts * WIDTH;
            let bias = has_bias.then(|| stage.random.floats(rows));
            moe_down(
                stage.dense(weight),
                &input,
                bias.as_deref(),
                &choices,
                &mut after,
            );
            let gain = stage.random.floats(WIDTH);
            let ready = normed(&after, &gain, variant);
            let next = is_normed.then(|| stage.vector(WIDTH));
            let op = MoeDown {
                weight,
                bias: bias.as_ref().map(|_| stage.vector(rows)),
                x,
                chosen,
                routing,
                residual,
            };
            let step = step_of(3, tokens);
            let mut setting = stage.setting(variant, KvType::F32);
            if let (Some(bias), true) = (op.bias, is_normed) {
                setting.gains[bias] = WIDTH as u32;
            }
            let recipes = kernel::moe_down::recipes(&op, next, &setting);
            let mut words = packed(&choices);
            words.resize(MOST_TOKENS * 2 * routing.used, 0);
            // Behind the gains, as the setting has it, or alone.
            let mut vectors = if is_normed { gain } else { Vec::new() };
            vectors.extend(bias.into_iter().flatten());
            let mut buffers: Vec<_> = stage.planes(weight).collect();
            buffers.extend([
                (binding::X, bits(&input)),
                (binding::OUT, bits(&before)),
                (binding::CHOSEN, words),
                (binding::VECTORS, bits(&vectors)),
                (binding::NORMED, vec![0; ready.len()]),
            ]);
            let mut wanted = vec![Wanted::Floats(binding::OUT, after)];
            wanted.extend(is_normed.then_some(Wanted::Floats(binding::NORMED, ready)));
            cases.push(Case {
                name: format!(
                    "moe_down {} K {cols} T {tokens} bias {has_bias} {}",
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
