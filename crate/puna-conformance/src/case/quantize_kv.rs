//! Cases of `quantize_kv`.

use puna_core::graph::KvShape;
use puna_core::places::Places;
use puna_core::reference::quantize_kv::quantize_kv;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::{KvType, kv_block};

use super::{
    CAPACITY, Case, FIRST_ROW, KV, Kv, Stage, Variation, Wanted, apart, apart_name, bits,
    dispatches, in_a_row, step_bytes, step_of,
};

const POSITION: usize = 5;
/// Heads of several blocks; and values that are the first dimensions of keys.
const SHAPES: [KvShape; 3] = [
    KV,
    KvShape {
        layers: 1,
        heads: 3,
        head_dim: 96,
        value_dim: 96,
    },
    KvShape {
        layers: 1,
        heads: 1,
        head_dim: 80,
        value_dim: 64,
    },
];

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    for shape in SHAPES {
        for (tokens, places) in [
            (1, in_a_row(POSITION)),
            (40, in_a_row(POSITION)),
            (5, apart(5)),
        ] {
            let seed = 1700 + cases.len() as u32;
            cases.push(case(variant, shape, tokens, &places, seed));
        }
    }
    cases
}

fn case(variant: Variation, shape: KvShape, tokens: usize, places: &Places, seed: u32) -> Case {
    let mut stage = Stage::new(seed, shape);
    let kv = Kv(KvType::Q8);
    let dh = shape.head_dim;
    let block = kv_block(dh);
    let mut fresh = stage.random.floats(shape.layer_elements(tokens));
    // A block of zeros, and one of numbers that are next to none.
    fresh[..block].fill(0.0);
    fresh[block..2 * block].fill(1e-36);
    let mut cache = stage.cache(kv, FIRST_ROW + CAPACITY);
    let before = kv.pack(&cache.data, dh);
    quantize_kv(&fresh, block, places, &mut cache);
    let step = step_of(places.clone(), tokens);
    let recipes = kernel::quantize_kv::recipes(0, &stage.setting(variant, kv.0));
    Case {
        name: format!(
            "quantize_kv Hkv {} Dh {dh} T {tokens}{}",
            shape.heads,
            apart_name(places)
        ),
        kernel: "quantize_kv",
        products: variant.products(),
        kv,
        magnitude: 0.0,
        exact: false,
        buffers: vec![(binding::X, bits(&fresh)), (binding::KV, before)],
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted: vec![Wanted::Cache(binding::KV, cache.data)],
    }
}
