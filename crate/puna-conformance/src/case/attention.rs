//! Cases of `attention`.

use puna_core::graph::{Attention, KvShape};
use puna_core::reference::attention::attention;
use puna_core::reference::qkv::KvLayer;
use puna_gpu::kernel::{self, Step};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{CAPACITY, Case, Kv, Stage, Variation, Wanted, bits, dispatches, step_bytes};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // Small heads, and heads above the tile of 64 dimensions.
    for shape in [
        KvShape {
            layers: 1,
            heads: 2,
            head_dim: 12,
        },
        KvShape {
            layers: 1,
            heads: 1,
            head_dim: 68,
        },
    ] {
        for kv in [Kv(KvType::F32), Kv(KvType::F16)] {
            // 1 key; about the tile of 64 keys; two tiles; many tokens over the border.
            for (position, tokens) in [
                (0, 1),
                (62, 1),
                (63, 1),
                (64, 1),
                (130, 1),
                (60, 7),
                (0, 13),
            ] {
                cases.push(case(
                    variant,
                    shape,
                    kv,
                    position,
                    tokens,
                    cases.len() as u32,
                ));
            }
        }
    }
    cases
}

fn case(
    variant: Variation,
    shape: KvShape,
    kv: Kv,
    position: usize,
    tokens: usize,
    seed: u32,
) -> Case {
    let mut stage = Stage::new(400 + seed, shape);
    let heads = 3 * shape.heads;
    let width = heads * shape.head_dim;
    let (query, out) = (stage.activation(width), stage.activation(width));
    // Large queries, so that the softmax is far from uniform.
    let queries: Vec<f32> = stage
        .random
        .floats(tokens * width)
        .into_iter()
        .map(|x| 4.0 * x)
        .collect();
    let mut cache = KvLayer::new(shape, CAPACITY);
    let packed = kv.pack(&stage.random.floats(cache.data.len()));
    cache.data = kv.unpack(&packed);
    let attended = attention(&queries, heads, position, &cache);

    let step = Step {
        position: position as u32,
        tokens: tokens as u32,
        capacity: CAPACITY as u32,
        first_token: tokens as u32,
        ..Step::default()
    };
    let op = Attention {
        layer: 0,
        heads,
        query,
        out,
    };
    let recipes = kernel::attention::recipes(&op, &stage.setting(variant, kv.0));
    Case {
        name: format!(
            "attention Dh {} S {position} T {tokens} kv {} {}",
            shape.head_dim,
            kv.0.name(),
            variant.label()
        ),
        kernel: "attention",
        precision: variant.precision,
        // The twin reads the rounded cache: only f32 arithmetic remains.
        kv: Kv(KvType::F32),
        magnitude: 0.0,
        exact: false,
        buffers: vec![
            (binding::X, bits(&queries)),
            (binding::OUT, vec![0; attended.len()]),
            (binding::KV, packed),
        ],
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted: vec![Wanted::Floats(binding::OUT, attended)],
    }
}
