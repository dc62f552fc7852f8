//! Cases of `gate_up`.

use puna_core::graph::{Gate, GateUp};
use puna_core::reference::gate_up::gate_up;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{Case, KV, Kv, Stage, Variation, Wanted, bits, dispatches, step_bytes, step_of};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // The last with gates so large that their exponential would leave f32.
    for (width, tokens, size, gate) in [
        (36, 1, 1.0, Gate::Silu),
        (200, 5, 1.0, Gate::Silu),
        (200, 5, 3.0, Gate::GeluTanh),
        (200, 5, 3.0, Gate::ClampedSwish),
        (36, 1, 300.0, Gate::Silu),
    ] {
        let mut stage = Stage::new(1600 + cases.len() as u32, KV);
        let (x, up) = (stage.activation(width), stage.activation(width));
        let input = stage.random.floats(tokens * width);
        let input: Vec<f32> = input.into_iter().map(|x| x * size).collect();
        let before = stage.random.floats(tokens * width);
        let mut after = before.clone();
        gate_up(&input, gate, &mut after);
        let op = GateUp { x, up, gate };
        let step = step_of(3, tokens);
        let recipes = kernel::gate_up::recipes(&op, &stage.setting(variant, KvType::F32));
        cases.push(Case {
            name: format!(
                "gate_up F {width} T {tokens} gates of {size} {}",
                gate.name()
            ),
            kernel: "gate_up",
            products: variant.products(),
            kv: Kv(KvType::F32),
            magnitude: 0.0,
            exact: false,
            buffers: vec![(binding::X, bits(&input)), (binding::OUT, bits(&before))],
            step: step_bytes(&step),
            dispatches: dispatches(recipes, &step),
            wanted: vec![Wanted::Floats(binding::OUT, after)],
        });
    }
    cases
}
