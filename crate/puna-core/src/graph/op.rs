//! The closed list of ops. Each is a fused unit: what one dispatch does in decode.
//!
//! Plain data; shapes are those of [`super::Graph`]'s tables. `x` stands for a row of T.

use serde::{Deserialize, Serialize};

use super::{ActivationIx, MatrixIx, RopeIx, VectorIx};

/// One op; its name is the stem of its four files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Op {
    /// Token ids → rows of a table.
    Embed(Embed),
    /// Norm, projections to queries, keys and values, rotation, append to the KV cache.
    Qkv(Qkv),
    /// Norm of queries and keys, rotation, append of the keys to the KV cache.
    QkNorm(QkNorm),
    /// Causal attention over the KV cache.
    Attention(Attention),
    /// Projection.
    Linear(Linear),
    /// Projection added to the residual stream.
    LinearAdd(LinearAdd),
    /// Norm of an output, added to the residual stream.
    NormAdd(NormAdd),
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
            Self::QkNorm(_) => "qk_norm",
            Self::Attention(_) => "attention",
            Self::Linear(_) => "linear",
            Self::LinearAdd(_) => "linear_add",
            Self::NormAdd(_) => "norm_add",
            Self::Glu(_) => "glu",
            Self::Head(_) => "head",
        }
    }

    /// What it reads through a norm, and that norm.
    #[must_use]
    pub const fn normed_input(&self) -> Option<(ActivationIx, Norm)> {
        let (x, norm) = match self {
            Self::Qkv(Qkv { x, norm, .. })
            | Self::Linear(Linear { x, norm, .. })
            | Self::Glu(Glu { x, norm, .. }) => (*x, *norm),
            Self::Head(Head { x, norm, .. }) => (*x, Some(*norm)),
            _ => return None,
        };
        match norm {
            Some(norm) => Some((x, norm)),
            None => None,
        }
    }

    /// The residual stream that it adds to.
    #[must_use]
    pub const fn residual(&self) -> Option<ActivationIx> {
        match self {
            Self::LinearAdd(LinearAdd { residual, .. })
            | Self::NormAdd(NormAdd { residual, .. }) => Some(*residual),
            _ => None,
        }
    }
}

/// RMSNorm: `x · gain / √(mean(x²) + eps)` (Zhang and Sennrich 2019, arXiv 1910.07467).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Norm {
    /// (D,).
    pub gain: VectorIx,
    /// Added to the mean square.
    pub eps: f32,
}

/// A matrix that gives rows `first_row ..` of an op's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Projection {
    /// The matrix.
    pub matrix: MatrixIx,
    /// Output row of its row 0.
    pub first_row: usize,
}

/// `out[t] = scale · table[ids[t]]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Embed {
    /// (V, D).
    pub table: MatrixIx,
    /// What rows are multiplied by.
    pub scale: f32,
    /// (T, D).
    pub out: ActivationIx,
}

/// `[q | k | v] = W · norm(x) + bias`; q and k rotate by adjacent pairs; k and v go to the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Qkv {
    /// Which layer of the KV cache.
    pub layer: usize,
    /// (T, D).
    pub x: ActivationIx,
    /// Of x, if it is read through one.
    pub norm: Option<Norm>,
    /// Together (H·Dh + 2·Hkv·Dh, D); more than one where the formats differ.
    pub weights: Vec<Projection>,
    /// (H·Dh + 2·Hkv·Dh,).
    pub bias: Option<VectorIx>,
    /// `H`.
    pub heads: usize,
    /// The rotation, if there is one.
    pub rope: Option<RopeIx>,
    /// (T, H·Dh); or (T, (H + Hkv)·Dh), queries and keys as they are, for a [`QkNorm`] that follows.
    pub query: ActivationIx,
    /// Whether one follows.
    pub normed_later: bool,
}

/// `q = norm(x_q)`, `k = norm(x_k)`, head by head or all heads together; they rotate; k goes to the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QkNorm {
    /// Which layer of the KV cache.
    pub layer: usize,
    /// (T, (H + Hkv)·Dh): queries, then keys.
    pub x: ActivationIx,
    /// (2·Dh,), or ((H + Hkv)·Dh,): the gains of queries, then of keys.
    pub gains: VectorIx,
    /// Added to the mean square.
    pub eps: f32,
    /// Whether the mean goes over all heads together.
    pub together: bool,
    /// `H`.
    pub heads: usize,
    /// The rotation, if there is one.
    pub rope: Option<RopeIx>,
    /// (T, H·Dh).
    pub query: ActivationIx,
}

/// `out[t, h] = softmax(cap(scale · q[t, h] · Kᵀ)) · V` over the positions up to t's own, or the last `window` of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attention {
    /// Which layer of the KV cache.
    pub layer: usize,
    /// `H`; H / Hkv query heads share a key head.
    pub heads: usize,
    /// What scores are multiplied by, mostly 1 / √Dh.
    pub scale: f32,
    /// How many positions a token sees, its own among them, if not all.
    pub window: Option<u32>,
    /// What bounds scores, if anything does: `cap · tanh(score / cap)`.
    pub cap: Option<f32>,
    /// (T, H·Dh).
    pub query: ActivationIx,
    /// (T, H·Dh).
    pub out: ActivationIx,
}

/// `out[t] = W · norm(x[t])`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Linear {
    /// (R, K).
    pub weight: MatrixIx,
    /// (T, K).
    pub x: ActivationIx,
    /// Of x, if it is read through one.
    pub norm: Option<Norm>,
    /// (T, R).
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

/// `residual[t] += norm(x[t])`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NormAdd {
    /// (T, D).
    pub x: ActivationIx,
    /// Of x.
    pub norm: Norm,
    /// (T, D), read and written.
    pub residual: ActivationIx,
}

/// What opens a gated layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gate {
    /// `x · sigmoid(x)`.
    Silu,
    /// `x · Φ(x)`, by tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    GeluTanh,
}

impl Gate {
    /// Name in shaders.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::GeluTanh => "gelu_tanh",
        }
    }
}

/// `out[t, i] = gate(g[2i]) · g[2i + 1]` with `g = W · norm(x)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Glu {
    /// (T, D).
    pub x: ActivationIx,
    /// Of x, if it is read through one.
    pub norm: Option<Norm>,
    /// (2·F, D): gate and up interleaved row by row.
    pub weight: MatrixIx,
    /// What is done to the gate.
    pub gate: Gate,
    /// (T, F).
    pub out: ActivationIx,
}

/// `logits[t] = cap(W · norm(x[t]))` for the tokens whose logits are wanted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// (T, D).
    pub x: ActivationIx,
    /// Of x.
    pub norm: Norm,
    /// (V, D).
    pub weight: MatrixIx,
    /// What bounds logits, if anything does: `cap · tanh(logit / cap)`.
    pub cap: Option<f32>,
}
