//! Cases of `attention`.

use puna_core::graph::{Attention, KvShape, Span, Temperature};
use puna_core::places::{Place, Places};
use puna_core::reference::attention::{Scores, attention};
use puna_gpu::kernel::attention::sums_bytes;
use puna_gpu::kernel::{self, Step};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::KvType;
use puna_gpu::split::{Split, Width};

use super::{
    Case, FIRST_ROW, Kv, Stage, Variation, Wanted, apart_name, bits, dispatches, in_a_row, padded,
    step_bytes,
};

/// Positions that the cache has room for.
const KEYS: usize = 720;

/// Small heads; heads that fill no whole chunk, and more than two; and how many query heads share a key head.
const SHAPES: [(KvShape, usize); 4] = [
    (shape(2, 12), 3),
    (shape(1, 68), 1),
    (shape(1, 128), 9),
    // Values that are the first dimensions of keys.
    (
        KvShape {
            value_dim: 32,
            ..shape(1, 48)
        },
        4,
    ),
];

const fn shape(heads: usize, head_dim: usize) -> KvShape {
    KvShape {
        layers: 1,
        heads,
        head_dim,
        value_dim: head_dim,
    }
}

pub(super) fn cases(variant: Variation) -> Vec<Case> {
    let mut cases = Vec::new();
    let kinds = [Kv(KvType::F32), Kv(KvType::F16), Kv(KvType::Q8)];
    for (shape, sharing) in SHAPES {
        for kv in kinds {
            for &(position, tokens) in places(variant) {
                let seed = cases.len() as u32;
                let places = in_a_row(position);
                let shape = (shape, sharing);
                cases.push(case(variant, shape, ALL, kv, (&places, tokens), seed));
            }
        }
    }
    // Windows: more than there is; one key; within a tile; parts of one. Chunks: that end among the tokens, and before them.
    let windows = [1000, 1, 40, 300].map(Span::Window);
    for (position, tokens) in windowed_places(variant) {
        let chunk = position as u32 + 1 + tokens as u32 / 2;
        for span in windows
            .into_iter()
            .chain([Span::Chunk(chunk), Span::Chunk(40)])
        {
            let scores = Scores {
                scale: 0.3,
                temperature: Temperature {
                    scale: 0.2,
                    every: 50,
                },
                span,
                cap: Some(1.5),
                sinks: None,
            };
            let seed = cases.len() as u32;
            let places = in_a_row(position);
            let shape = (shape(2, 12), 3);
            let kv = Kv(KvType::F32);
            cases.push(case(variant, shape, scores, kv, (&places, tokens), seed));
        }
    }
    // So many keys of large heads that a driver which bounds a shader's loops must not see one for each of them.
    if variant.width != Width::Few {
        let shape = (shape(1, 256), 2);
        let seed = cases.len() as u32;
        let places = (&in_a_row(2100), 1);
        cases.push(case(variant, shape, ALL, Kv(KvType::F32), places, seed));
    }
    // What is behind is seen, too.
    for &(position, tokens) in places(variant) {
        let scores = Scores {
            span: Span::Both,
            ..ALL
        };
        let seed = cases.len() as u32;
        let kv = Kv(KvType::F32);
        let shape = (shape(2, 12), 3);
        let places = (&in_a_row(position), tokens);
        cases.push(case(variant, shape, scores, kv, places, seed));
    }
    // Sinks that are lost among the keys, that weigh as much, and one beside which they are nothing.
    for &(position, tokens) in places(variant) {
        let scores = Scores {
            sinks: Some(&SINKS),
            ..ALL
        };
        let seed = cases.len() as u32;
        let kv = Kv(KvType::F32);
        let shape = (shape(2, 12), 3);
        let places = (&in_a_row(position), tokens);
        cases.push(case(variant, shape, scores, kv, places, seed));
    }
    // Each of another conversation: with one part, with several, and behind a window.
    if variant.split == Split::Serial && variant.width == Width::Many || variant.width == Width::Few
    {
        let positions = [300, 0, 255, 256, 600];
        let places: Vec<_> = (0..positions.len())
            .map(|t| Place {
                first_row: FIRST_ROW + positions[t + 1..].iter().map(|at| at + 1).sum::<usize>(),
                position: positions[t],
            })
            .collect();
        let places = Places::each(&places);
        let spans = [Span::All, Span::Window(40), Span::All];
        for (kind, span) in kinds.into_iter().zip(spans) {
            let scores = Scores { span, ..ALL };
            let shape = (shape(2, 12), 3);
            let places = (&places, positions.len());
            let seed = cases.len() as u32;
            cases.push(case(variant, shape, scores, kind, places, seed));
        }
    }
    cases
}

/// Scores of sinks, one a head.
const SINKS: [f32; 6] = [-40.0, 0.0, 2.0, 5.0, 8.0, 300.0];

/// All keys, as scores mostly are.
const ALL: Scores<'_> = Scores {
    scale: 0.25,
    temperature: Temperature::NONE,
    span: Span::All,
    cap: None,
    sinks: None,
};

/// Positions and numbers of tokens behind which there is more than most windows.
const fn windowed_places(variant: Variation) -> [(usize, usize); 1] {
    match (variant.split, variant.width) {
        (_, Width::One) => [(700, 1)],
        (Split::Serial, _) => [(60, 7)],
        (_, Width::Few) => [(510, 5)],
        (_, Width::Many) => [(300, 70)],
    }
}

/// Positions and numbers of tokens: 1 key; about the borders of tiles and parts; many tokens over a border.
const fn places(variant: Variation) -> &'static [(usize, usize)] {
    match (variant.split, variant.width) {
        (Split::Serial, Width::One) => &[(0, 1), (63, 1), (130, 1)],
        (Split::Serial, _) => &[(0, 13), (60, 7)],
        (_, Width::One) => &[
            (0, 1),
            (126, 1),
            (127, 1),
            (128, 1),
            (255, 1),
            (256, 1),
            (700, 1),
        ],
        // The first of them have one part, the others three.
        // Of the last ones the first has 32 parts, the others 17 that are longer.
        (_, Width::Few) => &[(0, 2), (252, 7), (4095, 5)],
        (_, Width::Many) => &[(0, 1), (0, 13), (0, 70), (23, 9), (24, 33)],
    }
}

fn case(
    variant: Variation,
    (shape, sharing): (KvShape, usize),
    scores: Scores<'_>,
    kv: Kv,
    (places, tokens): (&Places, usize),
    seed: u32,
) -> Case {
    let mut stage = Stage::new(400 + seed, shape);
    let heads = sharing * shape.heads;
    let width = heads * shape.head_dim;
    let query = stage.activation(width);
    let out = stage.activation(heads * shape.value_dim);
    // Large queries, so that the softmax is far from uniform.
    let queries: Vec<f32> = stage
        .random
        .floats(tokens * width)
        .into_iter()
        .map(|x| 4.0 * x)
        .collect();
    let capacity = places.rows(tokens).max(FIRST_ROW + KEYS);
    let cache = stage.cache(kv, capacity);
    let packed = kv.pack(&cache.data, shape.head_dim);
    let attended = attention(&queries, heads, scores, places, &cache);

    let step = Step::new(places, tokens, capacity, 0);
    let parts = sums_bytes(heads, shape.value_dim, tokens) as usize / 4;
    let op = Attention {
        layer: 0,
        heads,
        scale: scores.scale,
        temperature: scores.temperature,
        span: scores.span,
        cap: scores.cap,
        sinks: scores.sinks.map(|sinks| stage.vector(sinks.len())),
        query,
        out,
    };
    let recipes = kernel::attention::recipes(&op, &stage.setting(variant, kv.0));
    let mut buffers = vec![
        (binding::X, bits(&queries)),
        (binding::OUT, vec![0; attended.len()]),
        (binding::KV_X, packed),
        (binding::SUMS_OF_PARTS, vec![0; parts]),
    ];
    buffers.extend(scores.sinks.map(|sinks| (binding::OWN, padded(sinks))));
    Case {
        name: format!(
            "attention Dh {} G {sharing} S {} T {tokens}{}{}{} kv {} {}",
            shape.head_dim,
            places.of(0).position,
            apart_name(places),
            if scores.sinks.is_some() { " sinks" } else { "" },
            match scores.span {
                Span::All => String::new(),
                Span::Window(window) => format!(" window {window}"),
                Span::Chunk(chunk) => format!(" chunk {chunk}"),
                Span::Both => " both ways".to_owned(),
            },
            kv.0.name(),
            variant.label()
        ),
        kernel: "attention",
        products: variant.products(),
        // The twin reads the rounded cache: only f32 arithmetic remains.
        kv: Kv(KvType::F32),
        magnitude: 0.0,
        exact: false,
        buffers,
        step: step_bytes(&step),
        dispatches: dispatches(recipes, &step),
        wanted: vec![Wanted::Floats(binding::OUT, attended)],
    }
}
