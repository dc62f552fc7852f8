//! Cases of `qkv`.

use puna_core::graph::{Norm, Projection, Qkv};
use puna_core::places::MOST_TOGETHER;
use puna_core::reference;
use puna_core::reference::qkv::{Inputs, qkv};
use puna_gpu::kernel;
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::Width;

use super::{
    CAPACITY, Case, EPS, FIRST_ROW, KV, Kv, Stage, Variation, Wanted, apart, apart_name, bits,
    dispatches, format, in_a_row, magnitude, normed, others, step_bytes, step_of, stored,
};

const POSITION: usize = 5;

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    let kinds = [KvType::F32, KvType::F16, KvType::Q8].map(Kv);
    let shapes: &[_] = match variant.width {
        Width::One => &[
            (kinds[0], 2),
            (kinds[0], 6),
            (kinds[1], 2),
            (kinds[1], 6),
            (kinds[2], 6),
        ],
        // Software adapters take seconds to compile for many tokens.
        Width::Few | Width::Many => &[(kinds[0], 2), (kinds[1], 6)],
    };
    let own = shapes
        .iter()
        .map(|&(kv, heads)| (format("q4_1"), 96, kv, heads));
    let others = others(variant, "q4_1").map(|(format, cols)| (format, cols, kinds[0], 2));
    for (format, cols, kv, heads) in own.chain(others) {
        for &tokens in variant.tokens() {
            let seed = cases.len() as u32;
            let kind = Kind::Plain;
            cases.push(case(variant, kind, format, kv, heads, tokens, cols, seed));
        }
    }
    if variant.width == Width::One {
        for kind in [Kind::Biased, Kind::NormedLater] {
            let (seed, format) = (cases.len() as u32, format("q4_1"));
            cases.push(case(variant, kind, format, kinds[0], 6, 1, 96, seed));
        }
    }
    cases
}

/// What is done to queries and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// They rotate.
    Plain,
    /// They do not, and biases are added.
    Biased,
    /// They are left for a norm.
    NormedLater,
}

#[expect(clippy::too_many_arguments, reason = "what makes a case")]
fn case(
    variant: Variation,
    kind: Kind,
    format: &'static puna_core::quant::Format,
    kv: Kv,
    heads: usize,
    tokens: usize,
    cols: usize,
    seed: u32,
) -> Case {
    let mut stage = Stage::new(300 + seed, KV);
    // As many as can be are of as many conversations.
    let places = match tokens {
        MOST_TOGETHER => apart(tokens),
        _ => in_a_row(POSITION),
    };
    let q_rows = heads * KV.head_dim;
    let weight = stage.matrix(format, q_rows + 2 * KV.heads * KV.head_dim, cols);
    let (x, query) = (stage.activation(cols), stage.activation(q_rows));
    let input = stage.random.floats(tokens * cols);
    let gain = stage.random.floats(cols);
    // What is there already must survive.
    let before = stage.cache(kv, FIRST_ROW + CAPACITY);
    let mut cache = before.clone();
    let normed_later = kind == Kind::NormedLater;
    let rows = q_rows + KV.heads * KV.head_dim;
    let mut queries = vec![0.0; tokens * if normed_later { rows } else { q_rows }];
    let rope = stage.graph.ropes[0].clone();
    let bias = stage.random.floats(rows + KV.heads * KV.head_dim);
    let inputs = Inputs {
        weight: stage.dense(weight),
        first_row: 0,
        x: &input,
        norm: Some(reference::Norm {
            gain: &gain,
            eps: EPS,
        }),
        bias: (kind == Kind::Biased).then_some(bias.as_slice()),
        heads,
        rope: (kind == Kind::Plain).then_some(&rope),
        places: &places,
        normed_later,
    };
    qkv(&inputs, &mut queries, &mut cache);
    let (before, wanted) = stored(kv, &before, &cache, (&places, tokens));

    let step = step_of(places.clone(), tokens);
    let weights = vec![Projection {
        matrix: weight,
        first_row: 0,
    }];
    let op = Qkv {
        layer: 0,
        x,
        norm: Some(Norm {
            gain: stage.vector(cols),
            eps: EPS,
        }),
        weights,
        bias: (kind == Kind::Biased).then(|| stage.vector(bias.len())),
        heads,
        rope: (kind == Kind::Plain).then_some(0),
        query,
        normed_later,
    };
    let recipes = kernel::qkv::recipes(&op, &stage.setting(variant, kv.0));
    let mut buffers: Vec<_> = stage.planes(weight).collect();
    buffers.extend([
        (binding::X, bits(&normed(&input, &gain, variant))),
        (binding::OUT, vec![0; queries.len()]),
        (binding::KV, before),
        (binding::ROPE, stage.turns()),
        (binding::OWN, bits(&bias)),
    ]);
    Case {
        name: format!(
            "qkv {} {kind:?} H {heads} K {cols} T {tokens}{} kv {} {}",
            format.name,
            apart_name(&places),
            kv.0.name(),
            variant.label()
        ),
        kernel: "qkv",
        products: variant.products(),
        kv,
        magnitude: magnitude(cols),
        exact: false,
        buffers,
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted: vec![Wanted::Floats(binding::OUT, queries), wanted],
    }
}
