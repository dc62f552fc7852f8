//! Cases of `layer_norm`.

use puna_core::graph::LayerNorm;
use puna_core::reference::layer_norm::layer_norm;
use puna_gpu::kernel::{self, Step};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{Case, EPS, KV, Kv, Stage, Variation, Wanted, bits, dispatches, step_bytes};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // Less than a workgroup has, and more; of all tokens, and of those that something is wanted of.
    for (width, is_last) in [(36, false), (96, true), (1000, false)] {
        for (tokens, first) in [(1, 0), (7, 3)] {
            let mut stage = Stage::new(1400 + cases.len() as u32, KV);
            let (x, other) = (stage.activation(width), stage.activation(width));
            // Far from 0, as the residual stream may be.
            let input = stage.random.floats(tokens * width);
            let input: Vec<f32> = input.into_iter().map(|x| x + 5.0).collect();
            let (gain, bias) = (stage.random.floats(width), stage.random.floats(width));
            let mut want = layer_norm(&input, &gain, &bias, EPS);
            if is_last {
                want.drain(..first * width);
            }
            let op = LayerNorm {
                x,
                gain: stage.vector(width),
                bias: stage.vector(width),
                eps: EPS,
                out: (!is_last).then_some(other),
            };
            let step = Step::new(&3.into(), tokens, 0, tokens - first);
            let mut setting = stage.setting(variant, KvType::F32);
            setting.gains[op.bias] = width as u32;
            let recipes = kernel::layer_norm::recipes(&op, &setting);
            cases.push(Case {
                name: format!(
                    "layer_norm D {width} T {tokens} from {first} last {is_last} {}",
                    variant.label()
                ),
                kernel: "layer_norm",
                products: variant.products(),
                kv: Kv(KvType::F32),
                magnitude: 0.0,
                exact: false,
                buffers: vec![
                    (binding::X, bits(&input)),
                    (binding::OUT, vec![0; want.len()]),
                    (binding::VECTORS, bits(&[gain, bias].concat())),
                ],
                step: step_bytes(&step),
                dispatches: dispatches(recipes, &step),
                wanted: vec![Wanted::Floats(binding::OUT, want)],
            });
        }
    }
    cases
}
