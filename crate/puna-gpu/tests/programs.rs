//! What a step is made of: every dispatch waits for the one before it, so their number is the floor of a step's time.

use puna_core::model;
use puna_core::quant::FORMATS;
use puna_core::synthetic::{SHAPES, Synthetic};
use puna_core::weights::header::{Header, Parsed};
use puna_gpu::choices::Choices;
use puna_gpu::kernel::{Recipe, Setting, Step};
use puna_gpu::program::recipes;
use puna_gpu::shader::variant::{KvType, Precision};
use puna_gpu::split::{Split, Width};

/// Projections of queries, keys and values; attention; its output; gate and up; down.
const PER_LAYER: usize = 5;
/// Positions, and whether attention is in parts there, which are merged by one dispatch more.
const POSITIONS: [(usize, bool); 5] = [
    (0, false),
    (255, false),
    (256, true),
    (512, true),
    (4096, true),
];

#[test]
fn a_layer_is_five_dispatches_and_six_in_long_contexts() {
    for shape in SHAPES {
        for format in FORMATS.iter().filter(|format| format.block_len == 32) {
            let synthetic = Synthetic::new(shape, format).expect("whole blocks");
            let Ok(Parsed::Done(header)) = Header::from_gguf(synthetic.header()) else {
                panic!("the header of {}", shape.name)
            };
            let (_, graph) = model::open(&header).expect("a graph");
            let parts = graph.matrices.iter();
            let split = Split::Subgroup(32, 32);
            for &width in split.widths() {
                let setting = Setting {
                    graph: &graph,
                    parts: parts.clone().map(|matrix| vec![(0, matrix.rows)]).collect(),
                    gains: vec![0; graph.vectors.len()],
                    split,
                    precision: Precision::F32,
                    kv: KvType::F16,
                    width,
                    max_tokens: 256,
                    rounds: true,
                    adapted: false,
                    choices: Choices::default(),
                };
                let all = recipes(&setting);
                let of_no_layer =
                    |label: &str| label.starts_with("embed") || label.starts_with("head");
                for (position, in_parts) in POSITIONS {
                    let step = Step::new(&position.into(), 1, 0, 1);
                    let done = |recipe: &&Recipe| !recipe.grid.workgroups(&step).contains(&0);
                    let all: Vec<_> = all.iter().filter(done).collect();
                    let layers = all.iter().filter(|recipe| !of_no_layer(&recipe.label));
                    let more = usize::from(in_parts && width != Width::Many);
                    let expected = (PER_LAYER + more) * graph.kv.layers;
                    let name = format!("{} in {} at {position}", shape.name, format.name);
                    assert_eq!(layers.count(), expected, "{name}");
                    assert_eq!(all.len(), expected + 2, "{name}, with both ends");
                }
            }
        }
    }
}
