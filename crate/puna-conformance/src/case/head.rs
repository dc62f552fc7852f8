//! Cases of `head`.

use puna_core::graph::{Head, Norm};
use puna_core::reference::{self, head::head};
use puna_gpu::kernel::{self, Step};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Width;

use super::{
    Case, EPS, KV, Kv, Stage, Variation, Wanted, bits, dispatches, format, magnitude, normed,
    others, step_bytes,
};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // Columns below, on and above what a workgroup of 64 reads as vec4s at once; and more than that four times.
    let shapes: &[(usize, usize)] = match variant.width {
        Width::One => &[
            (1, 96),
            (37, 96),
            (130, 96),
            (37, 224),
            (37, 256),
            (37, 288),
            (5, 1056),
        ],
        Width::Few | Width::Many => &[(1, 96), (130, 96), (37, 288)],
    };
    let own = shapes
        .iter()
        .map(|&(rows, cols)| (format("q8_0"), rows, cols));
    let others = others(variant, "q8_0").map(|(format, cols)| (format, 37, cols));
    for (format, rows, cols) in own.chain(others) {
        for &tokens in variant.tokens() {
            let mut stage = Stage::new(100 + cases.len() as u32, KV);
            let weight = stage.matrix(format, rows, cols);
            let x = stage.activation(cols);
            let input = stage.random.floats(tokens * cols);
            let gain = stage.random.floats(cols);
            // All tokens but the first, where there are more.
            let skipped = usize::from(tokens > 1);
            let norm = reference::Norm {
                gain: &gain,
                eps: EPS,
            };
            // One shape is bounded, too.
            let cap = (rows == 5).then_some(2.0);
            let logits = head(stage.dense(weight), &input[skipped * cols..], norm, cap);

            let step = Step::new(&3.into(), tokens, 0, tokens - skipped);
            let op = Head {
                x,
                norm: Norm {
                    gain: stage.vector(cols),
                    eps: EPS,
                },
                weight,
                cap,
            };
            let recipes = kernel::head::recipes(&op, &stage.setting(variant, KvType::F32));
            let mut buffers: Vec<_> = stage.planes(weight).collect();
            buffers.extend([
                (binding::X, bits(&normed(&input, &gain, variant))),
                (binding::OUT, vec![0; logits.len()]),
            ]);
            cases.push(Case {
                name: format!(
                    "head {} R {rows} K {cols} T {tokens} {}",
                    format.name,
                    variant.label()
                ),
                kernel: "head",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: magnitude(cols),
                exact: false,
                buffers,
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted: vec![Wanted::Floats(binding::OUT, logits)],
            });
        }
    }
    cases
}
