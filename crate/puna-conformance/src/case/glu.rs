//! Cases of `glu`.

use puna_core::graph::{Gate, Glu, Norm};
use puna_core::reference::{self, glu::glu};
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Width;

use super::{
    Case, EPS, KV, Kv, Stage, Variation, Wanted, bits, dispatches, format, magnitude, normed,
    others, step_bytes, step_of,
};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // The last with gates so large that their exponential would leave f32.
    let shapes: &[_] = match variant.width {
        Width::One => &[
            (1, 1.0, Gate::Silu),
            (37, 1.0, Gate::Silu),
            (65, 1.0, Gate::Silu),
            (37, 300.0, Gate::Silu),
            (37, 1.0, Gate::GeluTanh),
            (37, 300.0, Gate::GeluTanh),
            (37, 3.0, Gate::ClampedSwish),
            (37, 300.0, Gate::ClampedSwish),
        ],
        // Software adapters take seconds to compile for many tokens.
        Width::Few | Width::Many => &[
            (1, 1.0, Gate::Silu),
            (37, 300.0, Gate::Silu),
            (37, 1.0, Gate::Silu),
        ],
    };
    let own = shapes
        .iter()
        .map(|&(width, size, gate)| (format("q4_1"), 96, width, size, gate));
    let others = others(variant, "q4_1").map(|(format, cols)| (format, cols, 37, 1.0, Gate::Silu));
    for (format, cols, width, size, gate) in own.chain(others) {
        for &tokens in variant.tokens() {
            let mut stage = Stage::new(200 + cases.len() as u32, KV);
            let weight = stage.matrix(format, 2 * width, cols);
            let (x, out) = (stage.activation(cols), stage.activation(width));
            let input = stage.random.floats(tokens * cols);
            let gain = stage.random.floats(cols);
            let gain: Vec<f32> = gain.into_iter().map(|gain| gain * size).collect();
            let norm = reference::Norm {
                gain: &gain,
                eps: EPS,
            };
            let gated = glu(stage.dense(weight), &input, Some(norm), gate);

            let step = step_of(3, tokens);
            let op = Glu {
                x,
                norm: Some(Norm {
                    gain: stage.vector(cols),
                    eps: EPS,
                }),
                weight,
                gate,
                out,
            };
            let recipes = kernel::glu::recipes(&op, &stage.setting(variant, KvType::F32));
            let mut buffers: Vec<_> = stage.planes(weight).collect();
            buffers.extend([
                (binding::X, bits(&normed(&input, &gain, variant))),
                (binding::OUT, vec![0; gated.len()]),
            ]);
            cases.push(Case {
                name: format!(
                    "glu {} {} F {width} K {cols} T {tokens} gates of {size} {}",
                    format.name,
                    gate.name(),
                    variant.label()
                ),
                kernel: "glu",
                products: variant.products(),
                kv: Kv(KvType::F32),
                // A product of two such sums.
                magnitude: magnitude(cols) * f64::from(size * size),
                exact: false,
                buffers,
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted: vec![Wanted::Floats(binding::OUT, gated)],
            });
        }
    }
    cases
}
