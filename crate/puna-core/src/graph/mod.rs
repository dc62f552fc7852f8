//! A model as a flat list of ops: what an executor runs, and what the loader must bring.
//!
//! Made once at load by [`crate::model::open`], checked while it is built. Names no buffer, no
//! pipeline and no device.

mod builder;
mod low_rank;
mod op;
mod rows;
mod target;

pub(crate) use builder::too_many;
pub use builder::{Builder, Part};
pub use low_rank::{Factors, LowRank, MOST_ADAPTERS, RANK_STEP, Rank, RowGroups};
pub use op::{
    Activate, Attention, Embed, Gate, GateUp, Glu, Groups, Head, HeadLinear, Latent, LayerNorm,
    Linear, LinearAdd, MoeDown, MoeGlu, Norm, NormAdd, Op, Positions, Projection, QkNorm, Qkv,
    Route, Routing, Scoring, Span, Temperature,
};
pub use rows::{Halves, Source, Transposed};

pub use target::Target;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::quant::{BLOCK_LEN, Format};
use crate::rope::Rope;
use crate::{Error, Result};

/// Index into [`Graph::matrices`].
pub type MatrixIx = usize;
/// Index into [`Graph::vectors`].
pub type VectorIx = usize;
/// Index into [`Graph::activations`].
pub type ActivationIx = usize;
/// Index into [`Graph::ropes`].
pub type RopeIx = usize;

/// What to compute for a chunk of `T` tokens, and with which weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Graph {
    /// The ops, in order.
    pub ops: Vec<Op>,
    /// Weight matrices, fused where ops read them together.
    pub matrices: Vec<Matrix>,
    /// What adapters add to some of them.
    pub low_ranks: Vec<LowRank>,
    /// f32 vectors: gains of norms, biases.
    pub vectors: Vec<Vector>,
    /// Activations, each (T, width) f32.
    pub activations: Vec<Activation>,
    /// Shape of the KV cache.
    pub kv: KvShape,
    /// Rotations of queries and keys.
    pub ropes: Vec<Rope>,
    /// `V`.
    pub vocab_size: usize,
    /// What is given for each token that it is wanted of: as many logits as there are token ids; or what an encoder makes of
    /// the token.
    pub out_width: usize,
    /// Most tokens that the context may hold.
    pub context_length: u32,
    /// The most that may be asked for.
    pub longest_context: u32,
}

impl Graph {
    /// Whether it makes vectors of whole texts, and no logits.
    #[must_use]
    pub fn encodes(&self) -> bool {
        self.ops.iter().any(|op| {
            let Op::Attention(attention) = op else {
                return false;
            };
            attention.span == Span::Both
        })
    }

    /// The gain of the norm through which what op `ix` writes to activation `out` is read next, if it is.
    #[must_use]
    pub fn next_gain(&self, ix: usize, out: ActivationIx) -> Option<VectorIx> {
        let later = self.ops.get(ix + 1..).unwrap_or_default();
        for op in later {
            match op.normed_input() {
                Some((x, norm)) if x == out => return Some(norm.gain),
                _ => {}
            }
            if op.residual() == Some(out) {
                return None;
            }
        }
        None
    }

    /// The same for contexts of `wanted` tokens, or as many as the model can do: of a model whose rotation is another one in
    /// long contexts, as many as it can do without that, so that short ones are what they were trained to be.
    #[must_use]
    pub fn within(mut self, wanted: Option<u32>) -> Self {
        let longer = self.ropes.iter().filter_map(|rope| rope.longer.as_ref());
        let longest = longer.map(|longer| longer.beyond).min();
        let usual = longest.unwrap_or(self.longest_context);
        self.context_length = wanted.unwrap_or(usual).min(self.longest_context);
        for rope in &mut self.ropes {
            let Some(longer) = &rope.longer else { continue };
            if self.context_length > longer.beyond {
                rope.factors = Some(longer.factors.clone());
            }
        }
        self
    }

    /// The same with matrices of floats rounded to `format` as they come. What chooses experts stays as it is: a small error
    /// there is a large one in what is computed; rows of tokens, and the head, have at least 8 bits.
    ///
    /// # Errors
    /// `invalid_request` for a format that weights are not brought to.
    pub fn quantized(mut self, format: &'static Format) -> Result<Self> {
        let large = Format::q8_0();
        if format.quantize.is_none() {
            return Err(Error::invalid_request(
                "quantize",
                format!("weights are not rounded to {format:?}; expected q8_0 or q4_0"),
            ));
        }
        let mut kept = vec![None; self.matrices.len()];
        for op in &self.ops {
            match op {
                Op::Embed(Embed { table: matrix, .. }) | Op::Head(Head { weight: matrix, .. }) => {
                    kept[*matrix] = Some(large);
                }
                Op::Linear(Linear { weight, out, .. }) => {
                    let chooses = |op: &Op| matches!(op, Op::Route(route) if route.logits == *out);
                    if self.ops.iter().any(chooses) {
                        kept[*weight] = Some(self.matrices[*weight].format);
                    }
                }
                _ => {}
            }
        }
        for (matrix, kept) in self.matrices.iter_mut().zip(kept) {
            let wanted = kept.unwrap_or(format);
            // Columns that come one by one are no blocks.
            let whole = matrix.sources.iter().all(|it| it.transposed.is_none());
            if whole && matrix.stored.value_bytes > 0 && matrix.cols.is_multiple_of(BLOCK_LEN) {
                matrix.format = wanted;
            }
        }
        Ok(self)
    }

    /// Tensors of factors of rotations, whose values [`Self::supply`] takes.
    #[must_use]
    pub fn factors(&self) -> Vec<usize> {
        let factors = self.ropes.iter().filter_map(|rope| rope.factors.as_ref());
        factors.filter_map(|factors| factors.tensor).collect()
    }

    /// Takes some bytes of a tensor of [`Self::factors`], those from `offset` on.
    ///
    /// # Errors
    /// `bad_model_file` when they make no sense.
    pub fn supply(&mut self, tensor: usize, offset: u64, bytes: &[u8]) -> Result<()> {
        for rope in &mut self.ropes {
            if rope.factors.as_ref().and_then(|it| it.tensor) == Some(tensor) {
                rope.supply(offset, bytes)?;
            }
        }
        Ok(())
    }

    /// Bytes of all weights, rearranged as GPUs have them.
    #[must_use]
    pub fn weights_bytes(&self) -> u64 {
        let matrices = self.matrices.iter();
        let matrices = matrices
            .map(|matrix| matrix.rows as u64 * matrix.format.planes_row_bytes(matrix.cols) as u64);
        let vectors = self.vectors.iter().map(|vector| vector.len as u64 * 4);
        let ups = self.low_ranks.iter();
        let ups = ups.map(|low_rank| low_rank.up_len() as u64 * 2);
        matrices.chain(vectors).chain(ups).sum()
    }

    /// Whether all factors are there.
    ///
    /// # Errors
    /// `internal` when some are not.
    pub fn check_factors(&self) -> Result<()> {
        if self.ropes.iter().all(Rope::is_complete) {
            return Ok(());
        }
        Err(Error::internal("the factors of a rotation did not come"))
    }

    /// Whether all are ids of its vocabulary.
    ///
    /// # Errors
    /// `internal` naming the first that is none.
    pub fn check_ids(&self, ids: &[u32]) -> Result<()> {
        match ids.iter().find(|&&id| id as usize >= self.vocab_size) {
            None => Ok(()),
            Some(id) => Err(Error::internal(format!(
                "forward: id {id} is outside the vocabulary of {}",
                self.vocab_size
            ))),
        }
    }
}

/// Which logits an executor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    /// None: the keys and values are enough.
    None,
    /// Those of the last token.
    Last,
    /// Those of every token.
    All,
}

/// A weight matrix (rows, cols) in one format, its rows gathered from tensors of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Matrix {
    /// For messages and labels: the names of its tensors.
    pub name: String,
    /// R.
    pub rows: usize,
    /// Of how many experts it holds the rows, one after the other; 1 if it is of no experts.
    pub experts: usize,
    /// K, a multiple of the format's block.
    pub cols: usize,
    /// How its blocks are stored in memory.
    #[serde(with = "format_by_number")]
    pub format: &'static Format,
    /// How the file has them: the same, or floats that are rounded as they come.
    #[serde(with = "format_by_number")]
    pub stored: &'static Format,
    /// Which tensor's rows go where.
    pub sources: Vec<Source>,
}

impl Matrix {
    /// Whole rows of the file as rows in memory, each as if it stood alone.
    #[must_use]
    pub fn rows_in_memory<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if self.stored == self.format {
            return self.stored.plain_rows(bytes, self.cols);
        }
        let rows = bytes.chunks_exact(self.stored.row_bytes(self.cols));
        let rows = rows.flat_map(|row| {
            let weights: Vec<f32> = self.stored.values(row).collect();
            self.format.quantize_row(&weights)
        });
        Cow::Owned(rows.collect())
    }
}

/// A format travels as its number in GGUF.
mod format_by_number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::quant::Format;

    pub(super) fn serialize<S: Serializer>(format: &Format, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(format.ggml_type)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<&'static Format, D::Error> {
        Format::of("of a message", u32::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// An f32 vector (len,), its elements gathered from tensors of the file; of ones, if from none.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vector {
    /// For messages and labels: the names of its tensors.
    pub name: String,
    /// Elements.
    pub len: usize,
    /// How the file has its elements: as F32, F16 or BF16.
    #[serde(with = "format_by_number")]
    pub format: &'static Format,
    /// Which tensor's elements go where.
    pub sources: Vec<Source>,
    /// What is added to each.
    pub offset: f32,
}

impl Vector {
    /// A vector of ones.
    #[must_use]
    pub fn ones(len: usize) -> Self {
        Self {
            name: "ones".to_owned(),
            len,
            format: Format::f32(),
            sources: Vec::new(),
            offset: 0.0,
        }
    }
}

/// An activation, (T, width) f32.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activation {
    /// What it holds.
    pub name: String,
    /// Elements a token.
    pub width: usize,
}

/// Shape of the KV cache: K (layers, Hkv, S, Dh), and V (layers, Hkv, S, Dv).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvShape {
    /// Layers that have a cache.
    pub layers: usize,
    /// `Hkv`.
    pub heads: usize,
    /// `Dh`.
    pub head_dim: usize,
    /// `Dv`: as much as `Dh`; or less, and then a value is the first dimensions of its key and has no room of its own.
    pub value_dim: usize,
}

impl KvShape {
    /// Bytes of the cache of a token, of elements of `element_bytes`.
    #[must_use]
    pub const fn token_bytes(&self, element_bytes: u64) -> u64 {
        (self.layers * self.layer_elements(1)) as u64 * element_bytes
    }

    /// Rows of a position and head: its key, and its value if that stands apart.
    #[must_use]
    pub const fn planes(&self) -> usize {
        if self.value_dim == self.head_dim {
            2
        } else {
            1
        }
    }

    /// Elements of K and V together, of one layer, for `capacity` tokens.
    #[must_use]
    pub const fn layer_elements(&self, capacity: usize) -> usize {
        self.planes() * self.heads * capacity * self.head_dim
    }
}
