//! Cases of `head_linear`.

use puna_core::graph::HeadLinear;
use puna_core::reference::head_linear::head_linear;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    Case, KV, Kv, Stage, Variation, Wanted, bits, dispatches, format, magnitude, others,
    step_bytes, step_of,
};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    let own = [(format("q4_1"), 64, 3), (format("q8_0"), 32, 1)];
    let others = others(variant, "q4_1").map(|(format, cols)| (format, cols, 2));
    for (format, cols, heads) in own.into_iter().chain(others) {
        for &tokens in variant.tokens() {
            let mut stage = Stage::new(1400 + cases.len() as u32, KV);
            let rows = 32;
            let weight = stage.matrix(format, heads * rows, cols);
            // Behind each head's elements there are others.
            let x = stage.activation(heads * (cols + 12));
            let out = stage.activation(heads * (rows + 8));
            let input = stage.random.floats(tokens * heads * (cols + 12));
            let before = stage.random.floats(tokens * heads * (rows + 8));
            let mut after = before.clone();
            head_linear(stage.dense(weight), heads, tokens, &input, &mut after);
            let op = HeadLinear {
                weight,
                heads,
                x,
                out,
            };
            let step = step_of(3, tokens);
            let recipes = kernel::head_linear::recipes(&op, &stage.setting(variant, KvType::F32));
            let mut buffers: Vec<_> = stage.planes(weight).collect();
            buffers.extend([(binding::X, bits(&input)), (binding::OUT, bits(&before))]);
            cases.push(Case {
                name: format!(
                    "head_linear {} H {heads} K {cols} T {tokens} {}",
                    format.name,
                    variant.label()
                ),
                kernel: "head_linear",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: magnitude(cols),
                exact: false,
                buffers,
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted: vec![Wanted::Floats(binding::OUT, after)],
            });
        }
    }
    cases
}
