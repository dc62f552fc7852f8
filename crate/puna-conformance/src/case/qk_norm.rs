//! Cases of `qk_norm`.

use puna_core::graph::{KvShape, QkNorm};
use puna_core::places::Places;
use puna_core::reference::Norm;
use puna_core::reference::qk_norm::qk_norm;
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;

use super::{
    CAPACITY, Case, EPS, FIRST_ROW, KV, Kv, Stage, Variation, Wanted, apart, apart_name, bits,
    dispatches, in_a_row, step_bytes, step_of, stored,
};

const POSITION: usize = 5;
/// Heads with more pairs than a workgroup has invocations.
const WIDE: KvShape = KvShape {
    layers: 1,
    heads: 1,
    head_dim: 144,
    value_dim: 144,
};

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    for (shape, heads, together, kv) in [
        (KV, 6, false, KvType::F32),
        (KV, 2, true, KvType::F16),
        (WIDE, 3, false, KvType::F16),
        (WIDE, 2, true, KvType::F32),
    ] {
        for (tokens, places) in [
            (1, in_a_row(POSITION)),
            (4, in_a_row(POSITION)),
            (5, apart(5)),
        ] {
            let seed = 900 + cases.len() as u32;
            let shape = (shape, heads, together);
            cases.push(case(variant, shape, Kv(kv), tokens, &places, seed));
        }
    }
    cases
}

fn case(
    variant: Variation,
    (shape, heads, together): (KvShape, usize, bool),
    kv: Kv,
    tokens: usize,
    places: &Places,
    seed: u32,
) -> Case {
    let mut stage = Stage::new(seed, shape);
    let dh = shape.head_dim;
    let (x, query) = (
        stage.activation((heads + shape.heads) * dh),
        stage.activation(heads * dh),
    );
    let input = stage.random.floats(tokens * (heads + shape.heads) * dh);
    let of_queries = if together { heads * dh } else { dh };
    let of_keys = if together { shape.heads * dh } else { dh };
    let gains = stage.random.floats(of_queries + of_keys);
    let before = stage.cache(kv, FIRST_ROW + CAPACITY);
    let mut cache = before.clone();
    let (q, k) = gains.split_at(of_queries);
    let norms = [q, k].map(|gain| Norm { gain, eps: EPS });
    let rope = stage.graph.ropes[0].clone();
    let queries = qk_norm(
        &input,
        norms,
        together,
        heads,
        Some(&rope),
        places,
        &mut cache,
    );
    let (before, wanted) = stored(kv, &before, &cache, (places, tokens));
    let op = QkNorm {
        layer: 0,
        x,
        gains: stage.vector(gains.len()),
        eps: EPS,
        together,
        heads,
        rope: Some(0),
        query,
    };
    let step = step_of(places.clone(), tokens);
    let recipes = kernel::qk_norm::recipes(&op, &stage.setting(variant, kv.0));
    let mut own = bits(&gains);
    own.resize(own.len().next_multiple_of(4), 0);
    Case {
        name: format!(
            "qk_norm Dh {dh} H {heads} together {together} T {tokens}{} kv {}",
            apart_name(places),
            kv.0.name()
        ),
        kernel: "qk_norm",
        products: variant.products(),
        kv,
        magnitude: 0.0,
        exact: false,
        buffers: vec![
            (binding::X, bits(&input)),
            (binding::OUT, vec![0; queries.len()]),
            (binding::KV, before),
            (binding::OWN, own),
            (binding::ROPE, stage.turns()),
        ],
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted: vec![Wanted::Floats(binding::OUT, queries), wanted],
    }
}
