//! Cases of `moe_glu`.

use puna_core::graph::{Gate, MoeGlu, Norm};
use puna_core::reference;
use puna_core::reference::moe_glu::{Inputs, moe_glu};
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    Case, EPS, KV, Kv, MOST_TOKENS, Stage, Variation, Wanted, bits, dispatches, format, magnitude,
    normed, others, step_bytes, step_of,
};
use crate::experts::{PLAIN, choices, packed};

/// `F`.
const WIDTH: usize = 40;

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    let routing = PLAIN;
    // Scores on what goes in, or on what comes out; all experts in one part, or in two; without biases and with them.
    let own = [
        (format("q4_1"), 96, false, 1, false),
        (format("q4_1"), 96, true, 1, false),
        (format("q4_1"), 96, false, 2, false),
        (format("q4_1"), 96, false, 2, true),
    ];
    let others = others(variant, "q4_1").map(|(format, cols)| (format, cols, false, 1, false));
    for (format, cols, scores_input, parts, has_bias) in own.into_iter().chain(others) {
        for tokens in [1, 7] {
            let mut stage = Stage::new(1200 + cases.len() as u32, KV);
            let weight = stage.matrix(format, routing.experts * 2 * WIDTH, cols);
            let x = stage.activation(cols);
            let out = stage.activation(routing.used * WIDTH);
            let chosen = stage.activation(2 * routing.used);
            let input = stage.random.floats(tokens * cols);
            let gain = stage.random.floats(cols);
            let choices = choices(&mut stage.random, routing, tokens);
            let norm = reference::Norm {
                gain: &gain,
                eps: EPS,
            };
            let rows = routing.experts * 2 * WIDTH;
            let bias = has_bias.then(|| stage.random.floats(rows));
            let inputs = Inputs {
                weight: stage.dense(weight),
                rows: 2 * WIDTH,
                x: &input,
                norm: Some(norm),
                bias: bias.as_deref(),
                gate: Gate::Silu,
                scores_input,
            };
            let gated = moe_glu(&inputs, &choices);
            let op = MoeGlu {
                x,
                norm: Some(Norm {
                    gain: stage.vector(cols),
                    eps: EPS,
                }),
                weight,
                bias: bias.as_ref().map(|_| stage.vector(rows)),
                chosen,
                routing,
                gate: Gate::Silu,
                scores_input,
                out,
            };
            let step = step_of(3, tokens);
            // Of two parts, the one that is bound.
            let mut setting = stage.setting(variant, KvType::F32);
            if let Some(bias) = op.bias {
                setting.gains[bias] = cols as u32;
            }
            let first = (parts - 1) * 3;
            if parts == 2 {
                setting.parts[weight] = vec![(first * 2 * WIDTH, 2 * 2 * WIDTH)];
            }
            let recipes = kernel::moe_glu::recipes(&op, &setting);
            let mut words = packed(&choices);
            words.resize(MOST_TOKENS * 2 * routing.used, 0);
            let mut buffers: Vec<_> = match parts {
                1 => stage.planes(weight).collect(),
                _ => stage.planes_from(weight, first * 2 * WIDTH).collect(),
            };
            // What is not of the part stays as it was.
            let mut wanted = gated;
            let slots = choices.iter().flatten().zip(wanted.chunks_exact_mut(WIDTH));
            for (_, out) in slots.filter(|(choice, _)| choice.0 < first) {
                out.fill(0.0);
            }
            buffers.extend([
                (binding::X, bits(&normed(&input, &gain, variant))),
                (binding::OUT, vec![0; wanted.len()]),
                (binding::CHOSEN, words),
            ]);
            // Behind the gains, as the setting has it.
            buffers.extend(bias.map(|bias| (binding::VECTORS, bits(&[&gain[..], &bias].concat()))));
            cases.push(Case {
                name: format!(
                    "moe_glu {} K {cols} T {tokens} scores input {scores_input} parts {parts} bias {has_bias} {}",
                    format.name,
                    variant.label()
                ),
                kernel: "moe_glu",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: magnitude(cols),
                exact: false,
                buffers,
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted: vec![Wanted::Floats(binding::OUT, wanted)],
            });
        }
    }
    cases
}
