//! The cases, as data: what goes in, which dispatches, what the twin says must come out.

mod attention;
mod deinterleave;
mod embed;
mod gate_up;
mod glu;
mod head;
mod head_linear;
mod latent;
mod layer_norm;
mod linear;
mod linear_add;
mod low_rank;
mod moe_down;
mod moe_glu;
mod norm_add;
mod penalize;
mod place;
mod positions;
mod qk_norm;
mod qkv;
mod quantize;
mod quantize_kv;
mod repack;
mod rounds;
mod route;
mod sample;
mod transpose;

use half::f16;
use puna_core::graph::{Activation, Graph, KvShape, Matrix, Vector};
use puna_core::places::{Place, Places};
use puna_core::quant::{FORMATS, Format};
use puna_core::reference::qkv::KvLayer;
use puna_core::reference::{self, Dense};
use puna_core::rope::Rope;
use puna_gpu::choices::Choices;
use puna_gpu::kernel::{Recipe, Setting, Step};
use puna_gpu::shader::binding;
use puna_gpu::shader::variant::{KvType, Precision, Variant, kv_block};
use puna_gpu::split::{Split, Width};
use puna_gpu::way::{RowsSplit, Way};

use crate::Extent;
use crate::data::Random;

/// One case.
#[derive(Debug)]
pub struct Case {
    /// `kernel format shape split precision …`.
    pub name: String,
    /// Stem of the kernel.
    pub kernel: &'static str,
    /// Arithmetic of the products.
    pub products: Products,
    /// Element of the KV cache.
    pub kv: Kv,
    /// Typical size of a sum of products in it, √K · rms(w) · rms(x).
    pub magnitude: f64,
    /// No arithmetic: every bit must be right.
    pub exact: bool,
    /// Contents of storage buffers, by binding.
    pub buffers: Vec<(u32, Vec<u32>)>,
    /// Contents of the step's uniform block.
    pub step: Vec<u8>,
    /// What to run, in order.
    pub dispatches: Vec<Dispatch>,
    /// What must come out.
    pub wanted: Vec<Wanted>,
}

impl Case {
    /// Whether one of its shaders runs the module.
    #[must_use]
    pub fn runs(&self, module: &str) -> bool {
        let mut dispatches = self.dispatches.iter();
        dispatches.any(|dispatch| dispatch.runs(module))
    }
}

/// Arithmetic of products: what they may differ from the twin's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// f32.
    F32,
    /// f16.
    F16,
    /// Weights and inputs in f32, the inputs rounded to 8 bits a block.
    Int8,
}

/// One dispatch of a case.
#[derive(Debug)]
pub struct Dispatch {
    /// The pipeline.
    pub variant: Variant,
    /// Contents of the uniform block.
    pub params: Vec<u8>,
    /// Workgroups.
    pub workgroups: [u32; 3],
}

impl Dispatch {
    /// Whether its shader is linked with the module and may run it: `lib/raw` comes with every format, but only
    /// shaders that bind the file's bytes call it.
    #[must_use]
    pub fn runs(&self, module: &str) -> bool {
        self.variant.modules.iter().any(|name| name == module)
            && (module != "lib/raw" || self.variant.bindings.contains(&binding::RAW))
    }
}

/// What must come out of a binding.
#[derive(Debug)]
pub enum Wanted {
    /// f32, within the tolerance.
    Floats(u32, Vec<f32>),
    /// A KV cache, within the tolerance.
    Cache(u32, Vec<f32>),
    /// Pairs of a number and of a float, within the tolerance.
    Choices(u32, Vec<u32>),
    /// These very words.
    Words(u32, Vec<u32>),
}

impl Wanted {
    /// The binding.
    #[must_use]
    pub const fn binding(&self) -> u32 {
        match self {
            Self::Floats(binding, _)
            | Self::Cache(binding, _)
            | Self::Choices(binding, _)
            | Self::Words(binding, _) => *binding,
        }
    }
}

/// How a KV cache is stored.
#[derive(Clone, Copy, Debug)]
pub struct Kv(pub KvType);

impl Kv {
    /// Floats of rows (Dh,) as a cache has them.
    pub(crate) fn pack(self, floats: &[f32], head_dim: usize) -> Vec<u32> {
        match self.0 {
            KvType::Q8 => {
                let blocks = floats.chunks_exact(kv_block(head_dim));
                let largest = blocks
                    .clone()
                    .map(|block| block.iter().fold(0.0_f32, |most, x| most.max(x.abs())));
                let steps = blocks.zip(largest.clone()).flat_map(|(block, largest)| {
                    let step = move |x: &f32| (x / largest * 127.0).round() as i8 as u8;
                    block.iter().map(step)
                });
                let mut words = words_of(&steps.collect::<Vec<_>>());
                words.extend(largest.map(f32::to_bits));
                words
            }
            KvType::F32 => floats.iter().map(|x| x.to_bits()).collect(),
            KvType::F16 => floats
                .chunks_exact(2)
                .map(|pair| {
                    u32::from(f16::from_f32(pair[0]).to_bits())
                        | u32::from(f16::from_f32(pair[1]).to_bits()) << 16
                })
                .collect(),
        }
    }

    /// So many floats that a cache has.
    pub(crate) fn unpack(self, words: &[u32], len: usize) -> Vec<f32> {
        match self.0 {
            KvType::Q8 => {
                let (steps, largest) = words.split_at(len / 4);
                let block = len / largest.len();
                let steps = steps.iter().flat_map(|word| word.to_le_bytes());
                let float = |(ix, step): (usize, u8)| {
                    f32::from_bits(largest[ix / block]) * (f32::from(step as i8) / 127.0)
                };
                steps.enumerate().map(float).collect()
            }
            KvType::F32 => words.iter().map(|&word| f32::from_bits(word)).collect(),
            KvType::F16 => words
                .iter()
                .flat_map(|&word| [word as u16, (word >> 16) as u16])
                .map(|bits| f16::from_bits(bits).to_f32())
                .collect(),
        }
    }
}

/// What keys and values are stored to and must be there afterwards, if the cache was `before` and is `after`: the cache itself, or,
/// of one that takes them in blocks, what waits for that, (T, planes, Hkv, Dh).
pub(crate) fn stored(
    kv: Kv,
    before: &KvLayer,
    after: &KvLayer,
    (places, tokens): (&Places, usize),
) -> (Vec<u32>, Wanted) {
    if kv.0 != KvType::Q8 {
        let wanted = Wanted::Cache(binding::KV, after.data.clone());
        return (kv.pack(&before.data, before.shape.head_dim), wanted);
    }
    let shape = after.shape;
    let mut fresh = Vec::new();
    let heads = shape.planes() * shape.heads;
    for row in 0..tokens * heads {
        let (t, which, head) = (row / heads, row % heads / shape.heads, row % shape.heads);
        let at = after.at(which, head, places.of(t).row());
        fresh.extend_from_slice(&after.data[at..at + shape.head_dim]);
    }
    (vec![0; fresh.len()], Wanted::Floats(binding::KV, fresh))
}

/// All cases of a variant.
#[must_use]
pub fn all(split: Split, precision: Precision, extent: Extent) -> Vec<Case> {
    let mut cases = Vec::new();
    // For many tokens all splits but the serial one have the same ways; and what a few tokens add to one is the same in
    // both arithmetics, but takes software adapters minutes to compile.
    let own = |width: &&Width| match (split, width) {
        (Split::Subgroup(..), Width::Few) => precision == Precision::F32,
        (Split::Subgroup(..), Width::Many) => false,
        _ => true,
    };
    for &width in split.widths().iter().filter(own) {
        // What has another arithmetic is among the cases of that.
        let ways = split.ways(width, precision, true).into_iter();
        for (ix, way) in ways
            .enumerate()
            .filter(|(_, way)| way.precision == precision)
        {
            let variant = Variation {
                split,
                width,
                way,
                extent,
            };
            // Every decoder in every arithmetic, and behind every way to ask it.
            let all_formats = match way.rows {
                RowsSplit::Serial { .. } => width == Width::One,
                RowsSplit::Shared { .. } => width == Width::One && ix == 0,
                RowsSplit::Tiled { .. } => precision == Precision::F32 && ix == 0,
                RowsSplit::Int8 { units, .. } => precision == Precision::F32 && units == 32,
                RowsSplit::Subgroup { .. } => false,
            };
            if ix == 0 || width == Width::Many {
                cases.extend(linear_add::cases(variant, all_formats));
            }
            let is_int8 = matches!(way.rows, RowsSplit::Int8 { .. });
            if precision == Precision::F32 && (ix == 0 || is_int8 && all_formats) {
                cases.extend(low_rank::cases(variant));
            }
            // The others differ in how work is divided, of which one kernel tells all.
            cases.extend(glu::cases(variant));
            if ix == 0 {
                cases.extend(linear::cases(variant));
                if width != Width::Many || split == Split::Serial {
                    cases.extend(head_linear::cases(variant));
                }
                if width == Width::One {
                    cases.extend(moe_glu::cases(variant));
                    cases.extend(moe_down::cases(variant));
                }
                cases.extend(head::cases(variant));
                cases.extend(qkv::cases(variant));
            }
        }
        // It has no other arithmetic, and all splits but one have the same.
        if precision == Precision::F32 && matches!(split, Split::Serial | Split::Shared) {
            let way = split.default_way(width, precision);
            cases.extend(attention::cases(Variation {
                split,
                width,
                way,
                extent,
            }));
        }
    }
    if precision == Precision::F32 {
        let variant = Variation {
            split,
            width: Width::One,
            way: split.default_way(Width::One, precision),
            extent,
        };
        cases.extend(embed::cases(variant));
        if matches!(split, Split::Serial | Split::Shared) {
            cases.extend(norm_add::cases(variant));
            cases.extend(layer_norm::cases(variant));
        }
        if split == Split::Serial {
            cases.extend(qk_norm::cases(variant));
            cases.extend(latent::cases(variant));
            cases.extend(route::cases(variant));
            cases.extend(rounds::cases());
            cases.extend(repack::cases(extent));
            cases.extend(deinterleave::cases());
            cases.extend(place::cases());
            cases.extend(positions::cases(variant));
            cases.extend(gate_up::cases(variant));
            cases.extend(quantize::cases());
            cases.extend(quantize_kv::cases(variant));
            cases.extend(transpose::cases());
            cases.extend(penalize::cases());
            cases.extend(sample::cases());
        }
    }
    cases
}

/// An input (T, K) as whoever writes it makes it ready for a norm: each token's x·gain, and behind it the sums of squares of
/// each unit's elements.
pub(crate) fn normed(x: &[f32], gain: &[f32], variant: Variation) -> Vec<f32> {
    let unit = variant.split.unit_rows() as usize;
    let token = |x: &[f32]| {
        let mut out: Vec<f32> = x.iter().zip(gain).map(|(x, gain)| x * gain).collect();
        out.extend(x.chunks(unit).map(|x| x.iter().map(|x| x * x).sum::<f32>()));
        out.resize(out.len().next_multiple_of(4), 0.0);
        out
    };
    x.chunks_exact(gain.len()).flat_map(token).collect()
}

/// A split, a number of tokens and a way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variation {
    pub(crate) split: Split,
    pub(crate) width: Width,
    pub(crate) way: Way,
    pub(crate) extent: Extent,
}

impl Variation {
    pub(crate) fn label(self) -> String {
        format!("{} {} {}", self.split.name(), self.width.name(), self.way)
    }

    pub(crate) const fn products(self) -> Products {
        match (self.way.rows, self.way.precision) {
            (RowsSplit::Int8 { .. }, _) => Products::Int8,
            (_, Precision::F32) => Products::F32,
            (_, Precision::F16) => Products::F16,
        }
    }

    /// Numbers of tokens: for the tile below, on and above.
    pub(crate) const fn tokens(self) -> &'static [usize] {
        match (self.width, self.split) {
            (Width::One, _) => &[1],
            (Width::Few, _) => &[2, 8],
            (Width::Many, Split::Serial) => &[7, 8, 13],
            (Width::Many, _) => &[31, 32, 65],
        }
    }
}

/// A graph with one op in it, and the data that its kernel is run on.
pub(crate) struct Stage {
    pub(crate) graph: Graph,
    pub(crate) random: Random,
    /// Weights of each matrix, as floats.
    pub(crate) dense: Vec<Vec<f32>>,
    /// Planes of each matrix.
    planes: Vec<Vec<Vec<u32>>>,
}

pub(crate) const KV: KvShape = KvShape {
    layers: 1,
    heads: 2,
    head_dim: 12,
    value_dim: 12,
};
pub(crate) const ROPE_DIMS: u32 = 8;
pub(crate) const EPS: f32 = 1e-5;
/// Most tokens of a case.
pub(crate) const MOST_TOKENS: usize = 96;
pub(crate) const CAPACITY: usize = 160;
/// Where the conversation begins in it.
pub(crate) const FIRST_ROW: usize = 3;

impl Stage {
    pub(crate) fn new(seed: u32, kv: KvShape) -> Self {
        let graph = Graph {
            ops: Vec::new(),
            matrices: Vec::new(),
            vectors: Vec::new(),
            activations: Vec::new(),
            kv,
            low_ranks: Vec::new(),
            ropes: vec![Rope::plain(10_000.0, ROPE_DIMS)],
            vocab_size: 0,
            out_width: 0,
            context_length: 0,
            longest_context: 0,
        };
        Self {
            graph,
            random: Random(seed),
            dense: Vec::new(),
            planes: Vec::new(),
        }
    }

    pub(crate) fn matrix(&mut self, format: &'static Format, rows: usize, cols: usize) -> usize {
        let raw = self.random.rows(format, rows, cols);
        self.dense.push(format.dequantize_rows(&raw, cols));
        self.planes
            .push(reference::repack::repack(format, &raw, cols));
        self.graph.matrices.push(Matrix {
            name: format.name.to_owned(),
            rows,
            experts: 1,
            cols,
            format,
            stored: format,
            sources: Vec::new(),
        });
        self.graph.matrices.len() - 1
    }

    pub(crate) fn activation(&mut self, width: usize) -> usize {
        self.graph.activations.push(Activation {
            name: "activation".to_owned(),
            width,
        });
        self.graph.activations.len() - 1
    }

    /// A cache that holds something, as it is after the rounding of its type.
    pub(crate) fn cache(&mut self, kv: Kv, capacity: usize) -> KvLayer {
        let mut cache = KvLayer::new(self.graph.kv, capacity);
        let len = cache.data.len();
        let packed = kv.pack(&self.random.floats(len), self.graph.kv.head_dim);
        cache.data = kv.unpack(&packed, len);
        cache
    }

    pub(crate) fn vector(&mut self, len: usize) -> usize {
        self.graph.vectors.push(Vector::ones(len));
        self.graph.vectors.len() - 1
    }

    /// The table of rotations, (CAPACITY, dims / 2): cos, sin.
    pub(crate) fn turns(&self) -> Vec<u32> {
        let positions = 0..CAPACITY as u32;
        let turns = positions.flat_map(|position| self.graph.ropes[0].row(position));
        turns.flatten().map(f32::to_bits).collect()
    }

    pub(crate) fn dense(&self, matrix: usize) -> Dense<'_> {
        Dense {
            data: &self.dense[matrix],
            cols: self.graph.matrices[matrix].cols,
        }
    }

    pub(crate) fn planes(&self, matrix: usize) -> impl Iterator<Item = (u32, Vec<u32>)> {
        let table = (self.graph.matrices[matrix].format.table)();
        let table: Vec<_> = table
            .as_chunks()
            .0
            .iter()
            .map(|&[low, high]| u32::from(low) | u32::from(high) << 16)
            .collect();
        self.planes[matrix]
            .iter()
            .enumerate()
            .map(|(ix, words)| (binding::PLANES + ix as u32, words.clone()))
            .chain((!table.is_empty()).then_some((binding::TABLE, table)))
    }

    /// The planes of the rows from one on.
    pub(crate) fn planes_from(
        &self,
        matrix: usize,
        row: usize,
    ) -> impl Iterator<Item = (u32, Vec<u32>)> {
        let rows = self.graph.matrices[matrix].rows;
        self.planes(matrix).map(move |(bound, words)| {
            // A table has no rows.
            let skipped = if bound == binding::TABLE {
                0
            } else {
                words.len() / rows * row
            };
            (bound, words[skipped..].to_vec())
        })
    }

    pub(crate) fn setting(&self, variant: Variation, kv: KvType) -> Setting<'_> {
        Setting {
            graph: &self.graph,
            parts: self
                .graph
                .matrices
                .iter()
                .map(|matrix| vec![(0, matrix.rows)])
                .collect(),
            gains: vec![0; self.graph.vectors.len()],
            split: variant.split,
            precision: variant.way.precision,
            kv,
            width: variant.width,
            max_tokens: MOST_TOKENS,
            rounds: true,
            adapted: true,
            choices: Choices::all(variant.width, variant.way),
        }
    }
}

pub(crate) fn dispatches(recipes: Vec<Recipe>, step: &Step) -> Vec<Dispatch> {
    let dispatch = |recipe: Recipe| Dispatch {
        params: bytemuck::bytes_of(&recipe.params).to_vec(),
        workgroups: recipe.grid.workgroups(step),
        variant: recipe.variant,
    };
    recipes.into_iter().map(dispatch).collect()
}

pub(crate) fn step_bytes(step: &Step) -> Vec<u8> {
    bytemuck::bytes_of(step).to_vec()
}

/// A step of so many tokens, none of which are wanted.
pub(crate) fn step_of(places: impl Into<Places>, tokens: usize) -> Step {
    Step::new(&places.into(), tokens, FIRST_ROW + CAPACITY, 0)
}

/// In one conversation, from a position on.
pub(crate) fn in_a_row(position: usize) -> Places {
    let first_row = FIRST_ROW;
    Places::From(Place {
        first_row,
        position,
    })
}

/// In so many conversations, of which the first begins last.
pub(crate) fn apart(tokens: usize) -> Places {
    let room = CAPACITY / tokens;
    let place = |t| Place {
        first_row: FIRST_ROW + room * (tokens - 1 - t),
        position: (5 + 7 * t) % room,
    };
    Places::each(&(0..tokens).map(place).collect::<Vec<_>>())
}

/// What tells such in the name of a case.
pub(crate) const fn apart_name(places: &Places) -> &'static str {
    match places {
        Places::From(_) => "",
        Places::Each(_) => " apart",
    }
}

pub(crate) fn words<const N: usize>(words: [u32; N]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Bytes, a multiple of 4 of them, as a buffer has them.
pub(crate) fn words_of(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.as_chunks().0.iter();
    words.map(|&word| u32::from_le_bytes(word)).collect()
}

pub(crate) fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|x| x.to_bits()).collect()
}

/// The same of an op's own vector, in whole vec4s.
pub(crate) fn padded(floats: &[f32]) -> Vec<u32> {
    let mut words = bits(floats);
    words.resize(words.len().next_multiple_of(4), 0);
    words
}

/// The formats that most files have.
const COMMON: &[&str] = &[
    "f32", "f16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
];

/// One that is no blocks, one with floats a block, one with integers, one with scales that are integers themselves.
const KINDS: &[&str] = &["f16", "q4_1", "q8_0", "q4_k"];

impl Extent {
    /// Whether a format has cases in every variant: the others have them where they are decoded, to floats in `embed`
    /// and to integers in one way of `linear_add`, and in `repack`. What is done with the weights is the same for all.
    pub(crate) fn is_everywhere(self, format: &Format) -> bool {
        match self {
            Self::Full => true,
            Self::Usual => COMMON.contains(&format.name),
            Self::Brief => KINDS.contains(&format.name),
        }
    }
}

/// The formats, each with numbers of columns: an odd number of blocks of the file, and, of some, one block.
pub(crate) fn formats(extent: Extent) -> impl Iterator<Item = (&'static Format, usize)> {
    FORMATS.iter().flat_map(move |&format| {
        let one = extent.is_everywhere(format).then_some(1);
        let blocks = one.into_iter().chain([3]);
        blocks.map(move |blocks| (format, blocks * format.block_len))
    })
}

/// The formats besides `own`, each with a number of columns, for a kernel whose other cases are all in `own`: in the
/// serial split alone, a token at a time. It is the split that calls `decode_block`, and `linear_add` has every format
/// in every split, arithmetic and tile; what is left to see is that kernel and format can be linked together.
pub(crate) fn others(
    variant: Variation,
    own: &str,
) -> impl Iterator<Item = (&'static Format, usize)> {
    let simplest = variant.split == Split::Serial && variant.width == Width::One;
    let others = FORMATS
        .iter()
        .filter(move |format| simplest && format.name != own)
        .filter(move |format| variant.extent.is_everywhere(format));
    others.map(|&format| (format, 3 * format.block_len))
}

/// A format for cases where its decoder is not the point.
pub(crate) fn format(name: &str) -> &'static Format {
    FORMATS
        .iter()
        .find(|format| format.name == name)
        .expect("invariant: a registered format")
}

/// `Case::magnitude` for inputs and weights of about -1 to 1, of which models' are a third in the mean.
pub(crate) fn magnitude(cols: usize) -> f64 {
    (cols as f64).sqrt() / 9.0
}
