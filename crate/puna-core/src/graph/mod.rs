//! A model as a flat list of ops: what an executor runs, and what the loader must bring.
//!
//! Made once at load by [`crate::model::open`], checked while it is built. Names no buffer, no
//! pipeline and no device.

mod builder;
mod op;
mod target;

pub use builder::Builder;
pub use op::{Attention, Embed, Glu, Head, LinearAdd, Op, Projection, Qkv};

pub use target::Target;

use serde::{Deserialize, Serialize};

use crate::config::Rope;
use crate::quant::Format;
use crate::{Error, Result};

/// Index into [`Graph::matrices`].
pub type MatrixIx = usize;
/// Index into [`Graph::vectors`].
pub type VectorIx = usize;
/// Index into [`Graph::activations`].
pub type ActivationIx = usize;

/// What to compute for a chunk of `T` tokens, and with which weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Graph {
    /// The ops, in order.
    pub ops: Vec<Op>,
    /// Weight matrices, fused where ops read them together.
    pub matrices: Vec<Matrix>,
    /// f32 vectors: gains of norms.
    pub vectors: Vec<Vector>,
    /// Activations, each (T, width) f32.
    pub activations: Vec<Activation>,
    /// Shape of the KV cache.
    pub kv: KvShape,
    /// Rotation of queries and keys.
    pub rope: Rope,
    /// `V`.
    pub vocab_size: usize,
    /// Most tokens that the context may hold.
    pub context_length: u32,
}

impl Graph {
    /// The gain of the norm through which what op `ix` writes to activation `out` is read next, if it is.
    #[must_use]
    pub fn next_gain(&self, ix: usize, out: ActivationIx) -> Option<VectorIx> {
        let later = self.ops.get(ix + 1..).unwrap_or_default();
        for op in later {
            match op {
                Op::Qkv(Qkv { x, gain, .. })
                | Op::Glu(Glu { x, gain, .. })
                | Op::Head(Head { x, gain, .. })
                    if *x == out =>
                {
                    return Some(*gain);
                }
                Op::LinearAdd(LinearAdd { residual, .. }) if *residual == out => return None,
                _ => {}
            }
        }
        None
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
    /// K, a multiple of the format's block.
    pub cols: usize,
    /// How its blocks are stored.
    #[serde(with = "format_by_number")]
    pub format: &'static Format,
    /// Which tensor's rows go where.
    pub sources: Vec<Source>,
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

/// Rows of one tensor inside a [`Matrix`]: tensor row `i` is matrix row `first_row + i * row_step`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// Index into `Gguf::tensors`.
    pub tensor: usize,
    /// Rows of the tensor.
    pub rows: usize,
    /// Where its row 0 goes.
    pub first_row: usize,
    /// 2 where two tensors are interleaved row by row, else 1.
    pub row_step: usize,
}

/// An f32 vector (len,).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Vector {
    /// Name of the tensor.
    pub name: String,
    /// Elements.
    pub len: usize,
    /// Index into `Gguf::tensors`.
    pub tensor: usize,
}

/// An activation, (T, width) f32.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Activation {
    /// What it holds.
    pub name: String,
    /// Elements a token.
    pub width: usize,
}

/// Shape of the KV cache: K and V each (layers, Hkv, S, Dh).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvShape {
    /// Layers that have a cache.
    pub layers: usize,
    /// `Hkv`.
    pub heads: usize,
    /// `Dh`.
    pub head_dim: usize,
}

impl KvShape {
    /// Elements of K and V together, of one layer, for `capacity` tokens.
    #[must_use]
    pub const fn layer_elements(&self, capacity: usize) -> usize {
        2 * self.heads * capacity * self.head_dim
    }
}
