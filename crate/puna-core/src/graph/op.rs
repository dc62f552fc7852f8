//! The closed list of ops. Each is a fused unit: what one dispatch does in decode.
//!
//! Plain data; shapes are those of [`super::Graph`]'s tables. `x` stands for a row of T.

use serde::{Deserialize, Serialize};

use super::{ActivationIx, MatrixIx, VectorIx};

/// One op; its name is the stem of its four files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Token ids → rows of a table.
    Embed(Embed),
    /// Norm, projections to queries, keys and values, rotation, append to the KV cache.
    Qkv(Qkv),
    /// Causal attention over the KV cache.
    Attention(Attention),
    /// Projection added to the residual stream.
    LinearAdd(LinearAdd),
    /// Norm, gate and up projections, activation.
    Glu(Glu),
    /// Final norm and projection to logits.
    Head(Head),
}

impl Op {
    /// The stem of the op's files, and its name in labels.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Embed(_) => "embed",
            Self::Qkv(_) => "qkv",
            Self::Attention(_) => "attention",
            Self::LinearAdd(_) => "linear_add",
            Self::Glu(_) => "glu",
            Self::Head(_) => "head",
        }
    }
}

/// A matrix that gives rows `first_row ..` of an op's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projection {
    /// The matrix.
    pub matrix: MatrixIx,
    /// Output row of its row 0.
    pub first_row: usize,
}

/// `out[t] = table[ids[t]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Embed {
    /// (V, D).
    pub table: MatrixIx,
    /// (T, D).
    pub out: ActivationIx,
}

/// `[q | k | v] = W · rmsnorm(x, gain)`; q and k rotate by adjacent pairs; k and v go to the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Qkv {
    /// Which layer of the KV cache.
    pub layer: usize,
    /// (T, D).
    pub x: ActivationIx,
    /// (D,).
    pub gain: VectorIx,
    /// Added to the mean square.
    pub eps: f32,
    /// Together (H·Dh + 2·Hkv·Dh, D); more than one where the formats differ.
    pub weights: Vec<Projection>,
    /// `H`.
    pub heads: usize,
    /// (T, H·Dh).
    pub query: ActivationIx,
}

/// `out[t, h] = softmax(q[t, h] · Kᵀ / √Dh) · V` over the positions up to t's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attention {
    /// Which layer of the KV cache.
    pub layer: usize,
    /// `H`; H / Hkv query heads share a key head.
    pub heads: usize,
    /// (T, H·Dh).
    pub query: ActivationIx,
    /// (T, H·Dh).
    pub out: ActivationIx,
}

/// `residual[t] += W · x[t]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinearAdd {
    /// (D, K).
    pub weight: MatrixIx,
    /// (T, K).
    pub x: ActivationIx,
    /// (T, D), read and written.
    pub residual: ActivationIx,
}

/// `out[t, i] = silu(g[2i]) · g[2i + 1]` with `g = W · rmsnorm(x, gain)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Glu {
    /// (T, D).
    pub x: ActivationIx,
    /// (D,).
    pub gain: VectorIx,
    /// Added to the mean square.
    pub eps: f32,
    /// (2·F, D): gate and up interleaved row by row.
    pub weight: MatrixIx,
    /// (T, F).
    pub out: ActivationIx,
}

/// `logits[t] = W · rmsnorm(x[t], gain)` for the tokens whose logits are wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// (T, D).
    pub x: ActivationIx,
    /// (D,).
    pub gain: VectorIx,
    /// Added to the mean square.
    pub eps: f32,
    /// (V, D).
    pub weight: MatrixIx,
}
