//! Cases of `latent`.

use puna_core::graph::{KvShape, Latent, Norm};
use puna_core::places::Places;
use puna_core::reference;
use puna_core::reference::latent::latent;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    CAPACITY, Case, EPS, FIRST_ROW, Kv, ROPE_DIMS, Stage, Variation, Wanted, apart, apart_name,
    bits, dispatches, in_a_row, step_bytes, step_of, stored,
};

const POSITION: usize = 5;

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    // Fewer pairs than a workgroup has invocations, and more.
    for (rank, kv) in [(32, KvType::F32), (160, KvType::F16), (64, KvType::Q8)] {
        for (tokens, places) in [
            (1, in_a_row(POSITION)),
            (4, in_a_row(POSITION)),
            (5, apart(5)),
        ] {
            let seed = 1500 + cases.len() as u32;
            cases.push(case(variant, rank, Kv(kv), tokens, &places, seed));
        }
    }
    cases
}

fn case(
    variant: Variation,
    rank: usize,
    kv: Kv,
    tokens: usize,
    places: &Places,
    seed: u32,
) -> Case {
    let heads = 3;
    let shape = KvShape {
        layers: 1,
        heads: 1,
        head_dim: rank + ROPE_DIMS as usize,
        value_dim: rank,
    };
    let mut stage = Stage::new(seed, shape);
    let dh = shape.head_dim;
    let each = 20 + ROPE_DIMS as usize;
    let x = stage.activation(dh);
    let (q, query) = (stage.activation(heads * each), stage.activation(heads * dh));
    let input = stage.random.floats(tokens * dh);
    let queries = stage.random.floats(tokens * heads * each);
    let before = stage.random.floats(tokens * heads * dh);
    let gain = stage.random.floats(rank);
    let cached = stage.cache(kv, FIRST_ROW + CAPACITY);
    let mut cache = cached.clone();
    let rope = stage.graph.ropes[0].clone();
    let mut after = before.clone();
    let norm = reference::Norm {
        gain: &gain,
        eps: EPS,
    };
    latent(
        &input, norm, &queries, heads, &rope, places, &mut after, &mut cache,
    );
    let (cached, wanted) = stored(kv, &cached, &cache, (places, tokens));
    let op = Latent {
        layer: 0,
        x,
        norm: Norm {
            gain: stage.vector(rank),
            eps: EPS,
        },
        q,
        heads,
        rope: 0,
        query,
    };
    let step = step_of(places.clone(), tokens);
    let recipes = kernel::latent::recipes(&op, &stage.setting(variant, kv.0));
    Case {
        name: format!(
            "latent {rank} T {tokens}{} kv {}",
            apart_name(places),
            kv.0.name()
        ),
        kernel: "latent",
        products: variant.products(),
        kv,
        magnitude: 0.0,
        exact: false,
        buffers: vec![
            (binding::X, bits(&input)),
            (binding::X2, bits(&queries)),
            (binding::OUT, bits(&before)),
            (binding::KV, cached),
            (binding::OWN, bits(&gain)),
            (binding::ROPE, stage.turns()),
        ],
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted: vec![Wanted::Floats(binding::OUT, after), wanted],
    }
}
