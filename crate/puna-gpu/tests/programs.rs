//! What a step is made of: every dispatch waits for the one before it, so their number is the floor of a step's time.

use puna_core::model;
use puna_core::quant::FORMATS;
use puna_core::synthetic::{SHAPES, Synthetic};
use puna_core::weights::gguf::{Gguf, Parsed};
use puna_gpu::kernel::Setting;
use puna_gpu::program::recipes;
use puna_gpu::shader::variant::{KvType, Precision};
use puna_gpu::split::Split;

/// Projections of queries, keys and values; attention; its output; gate and up; down.
const PER_LAYER: usize = 5;

#[test]
fn a_layer_is_five_dispatches() {
    for shape in SHAPES {
        for format in FORMATS.iter().filter(|format| format.block_len == 32) {
            let synthetic = Synthetic::new(shape, format).expect("whole blocks");
            let Ok(Parsed::Done(gguf)) = Gguf::parse(synthetic.header()) else {
                panic!("the header of {}", shape.name)
            };
            let (_, graph) = model::open(&gguf).expect("a graph");
            let parts = graph.matrices.iter();
            let split = Split::Subgroup(32, 32);
            for tile in split.tiles() {
                let setting = Setting {
                    graph: &graph,
                    parts: parts.clone().map(|matrix| vec![(0, matrix.rows)]).collect(),
                    gains: vec![0; graph.vectors.len()],
                    split,
                    precision: Precision::F32,
                    kv: KvType::F16,
                    tile,
                };
                let all = recipes(&setting).expect("recipes");
                let of_no_layer =
                    |label: &str| label.starts_with("embed") || label.starts_with("head");
                let layers = all.iter().filter(|recipe| !of_no_layer(&recipe.label));
                let name = format!("{} in {}", shape.name, format.name);
                assert_eq!(layers.count(), PER_LAYER * graph.kv.layers, "{name}");
                assert_eq!(
                    all.len(),
                    PER_LAYER * graph.kv.layers + 2,
                    "{name}, with both ends"
                );
            }
        }
    }
}
