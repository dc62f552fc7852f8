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
    /// Rows of a table of positions, and a vector, added to tokens.
    Positions(Positions),
    /// Norm, projections to queries, keys and values, rotation, append to the KV cache.
    Qkv(Qkv),
    /// Norm of queries and keys, rotation, append of the keys to the KV cache.
    QkNorm(QkNorm),
    /// Causal attention over the KV cache.
    Attention(Attention),
    /// Norm of compressed keys, rotation, append to the KV cache.
    Latent(Latent),
    /// Projection.
    Linear(Linear),
    /// Projections of heads, each by a matrix of its own.
    HeadLinear(HeadLinear),
    /// Projection added to the residual stream.
    LinearAdd(LinearAdd),
    /// A gate and what comes through it.
    GateUp(GateUp),
    /// Norm of an output, added to the residual stream.
    NormAdd(NormAdd),
    /// Norm with mean and bias.
    LayerNorm(LayerNorm),
    /// Choice of experts.
    Route(Route),
    /// Norm, gate and up projections of the chosen experts, activation.
    MoeGlu(MoeGlu),
    /// Projections of the chosen experts added to the residual stream.
    MoeDown(MoeDown),
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
            Self::Positions(_) => "positions",
            Self::Qkv(_) => "qkv",
            Self::QkNorm(_) => "qk_norm",
            Self::Attention(_) => "attention",
            Self::Latent(_) => "latent",
            Self::Linear(_) => "linear",
            Self::HeadLinear(_) => "head_linear",
            Self::LinearAdd(_) => "linear_add",
            Self::GateUp(_) => "gate_up",
            Self::NormAdd(_) => "norm_add",
            Self::LayerNorm(_) => "layer_norm",
            Self::Route(_) => "route",
            Self::MoeGlu(_) => "moe_glu",
            Self::MoeDown(_) => "moe_down",
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
            | Self::MoeGlu(MoeGlu { x, norm, .. })
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
            | Self::MoeDown(MoeDown { residual, .. })
            | Self::Positions(Positions { residual, .. })
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

/// `residual[t] += table[position + t] + shift`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Positions {
    /// (S·D,): a row a position, if positions have rows.
    pub table: Option<VectorIx>,
    /// (D,).
    pub shift: VectorIx,
    /// (T, D), read and written.
    pub residual: ActivationIx,
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
    /// (2·Dh,), or ((H + Hkv)·Dh,): the gains of queries, then of keys; 1 where the model has none.
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

/// Which positions a token sees, up to its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Span {
    /// All.
    All,
    /// The last so many, its own among them (Jiang et al. 2023, arXiv 2310.06825); not 0.
    Window(u32),
    /// Those from the last multiple of this on; not 0.
    Chunk(u32),
    /// All, and those behind it: all tokens of a text come in one call.
    Both,
}

impl Span {
    /// The first position that one sees.
    #[must_use]
    pub const fn first(self, position: usize) -> usize {
        match self {
            Self::All | Self::Both => 0,
            Self::Window(window) => (position + 1).saturating_sub(window as usize),
            Self::Chunk(chunk) => position / chunk as usize * chunk as usize,
        }
    }

    /// Where those end that one sees, of a call that ends before position `end`.
    #[must_use]
    pub const fn end(self, position: usize, end: usize) -> usize {
        match self {
            Self::Both => end,
            _ => position + 1,
        }
    }
}

/// What scores of late positions are multiplied by, so that many keys do not flatten them (Nakanishi 2025, arXiv 2501.19399):
/// `1 + scale · ln(1 + floor((position + 1) / every))`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// 0 where there is none.
    pub scale: f32,
    /// In positions; not 0.
    pub every: u32,
}

impl Temperature {
    /// Of none.
    pub const NONE: Self = Self {
        scale: 0.0,
        every: 1,
    };

    /// The factor.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "f32 is what scores are")]
    pub fn at(self, position: usize) -> f32 {
        let steps = (position + 1) / self.every as usize;
        1.0 + self.scale * (1.0 + steps as f64).ln() as f32
    }
}

/// `out[t, h] = softmax(cap(scale · temperature · q[t, h] · Kᵀ)) · V` over the positions that t sees, and over a sink of no
/// value if there is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attention {
    /// Which layer of the KV cache.
    pub layer: usize,
    /// `H`; H / Hkv query heads share a key head.
    pub heads: usize,
    /// What scores are multiplied by, mostly 1 / √Dh.
    pub scale: f32,
    /// What those of late positions are multiplied by besides.
    pub temperature: Temperature,
    /// Which positions a token sees.
    pub span: Span,
    /// What bounds scores, if anything does: `cap · tanh(score / cap)`.
    pub cap: Option<f32>,
    /// (H,): scores of sinks, which take a share of each head's weights (Xiao et al. 2023, arXiv 2309.17453), if there are
    /// any.
    pub sinks: Option<VectorIx>,
    /// (T, H·Dh).
    pub query: ActivationIx,
    /// (T, H·Dv).
    pub out: ActivationIx,
}

/// Multi-head latent attention's keys and values (`DeepSeek-AI` 2024, arXiv 2405.04434): `[c | k] = x`, `c = norm(c)`, k and
/// the last dimensions of the queries rotate; `[c | k]` goes to the cache, of which c is the value as well.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latent {
    /// Which layer of the KV cache.
    pub layer: usize,
    /// (T, Dh): Dv compressed dimensions, then those that rotate.
    pub x: ActivationIx,
    /// Of the compressed ones, (Dv,).
    pub norm: Norm,
    /// (T, H, any number, then those that rotate).
    pub q: ActivationIx,
    /// `H`.
    pub heads: usize,
    /// The rotation of all dimensions but the first Dv.
    pub rope: RopeIx,
    /// (T, H, Dh): the last dimensions are written.
    pub query: ActivationIx,
}

/// `out[t, h] = W[h] · x[t, h]`, the first elements of each head.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeadLinear {
    /// (H·R, K): head after head.
    pub weight: MatrixIx,
    /// `H`.
    pub heads: usize,
    /// (T, H, K and more).
    pub x: ActivationIx,
    /// (T, H, R and more).
    pub out: ActivationIx,
}

/// What is done to each element of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activate {
    /// `x · Φ(x)`, Φ the normal distribution (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    Gelu,
}

/// `out[t] = activate(W · norm(x[t]) + bias)`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Linear {
    /// (R, K).
    pub weight: MatrixIx,
    /// (R,).
    pub bias: Option<VectorIx>,
    /// What is done to what comes out, if anything is.
    pub activate: Option<Activate>,
    /// (T, K).
    pub x: ActivationIx,
    /// Of x, if it is read through one.
    pub norm: Option<Norm>,
    /// (T, R).
    pub out: ActivationIx,
}

/// `residual[t] += W · x[t] + bias`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LinearAdd {
    /// (D, K).
    pub weight: MatrixIx,
    /// (D,).
    pub bias: Option<VectorIx>,
    /// (T, K).
    pub x: ActivationIx,
    /// (T, D), read and written.
    pub residual: ActivationIx,
}

/// `up[t] = gate(x[t], up[t])`: for a gate and an up projection whose weights have different formats, so that
/// [`Glu`] can't read both at once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GateUp {
    /// (T, F): what the gate is made of.
    pub x: ActivationIx,
    /// (T, F), read and written.
    pub up: ActivationIx,
    /// The gate.
    pub gate: Gate,
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

/// `out[t] = (x[t] - mean) / √(variance + eps) · gain + bias` (Ba et al. 2016, arXiv 1607.06450).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LayerNorm {
    /// (T, D).
    pub x: ActivationIx,
    /// (D,).
    pub gain: VectorIx,
    /// (D,).
    pub bias: VectorIx,
    /// Added to the variance.
    pub eps: f32,
    /// (T, D), another than x; what the graph gives if it is none, of the tokens that it is wanted of.
    pub out: Option<ActivationIx>,
}

/// What comes through a gate, of it and of what it lets through, the second times the first unless it says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Gate {
    /// `x · sigmoid(x)`.
    Silu,
    /// `x · Φ(x)`, by tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415).
    GeluTanh,
    /// `x · sigmoid(1.702 · x)` of x up to 7, and 1 more than what it lets through, that from -7 to 7 (gpt-oss, OpenAI 2025,
    /// arXiv 2508.10925).
    ClampedSwish,
}

impl Gate {
    /// Name in shaders.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Silu => "silu",
            Self::GeluTanh => "gelu_tanh",
            Self::ClampedSwish => "clamped_swish",
        }
    }
}

/// `out[t, i] = gate(g[2i], g[2i + 1])` with `g = W · norm(x)`.
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

/// What scores of experts are made of their logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scoring {
    /// Each against all others.
    Softmax,
    /// Each for itself.
    Sigmoid,
}

/// Experts in groups, of which only some are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// How many there are; of experts each has as many.
    pub count: usize,
    /// How many are looked at: those with the highest scores.
    pub used: usize,
    /// Of how many of its experts, the best ones, a group's score is the sum.
    pub best: usize,
}

/// How experts are chosen (Shazeer et al. 2017, arXiv 1701.06538; groups: arXiv 2405.04434; bias: arXiv 2412.19437).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Routing {
    /// `E`, how many there are.
    pub experts: usize,
    /// How many are used.
    pub used: usize,
    /// What their scores are.
    pub scoring: Scoring,
    /// The groups that they are in, if any.
    pub groups: Option<Groups>,
    /// Whether the scores of those that are used are divided by their sum.
    pub normalized: bool,
    /// What they are multiplied by then.
    pub scale: f32,
}

/// The experts with the highest scores, and these scores.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    /// How they are chosen.
    pub routing: Routing,
    /// (T, E).
    pub logits: ActivationIx,
    /// (E,): added to scores where they are compared, if anything is.
    pub bias: Option<VectorIx>,
    /// (T, used, 2): a number and a score, the best first; the number in the bits of a float.
    pub chosen: ActivationIx,
}

/// `out[t, s, i] = gate(g[2i], g[2i + 1]) · score` with `g = W[expert s of t] · norm(x) + bias[expert s of t]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoeGlu {
    /// (T, D).
    pub x: ActivationIx,
    /// Of x, if it is read through one.
    pub norm: Option<Norm>,
    /// (E·2·F, D): expert after expert, gate and up interleaved row by row.
    pub weight: MatrixIx,
    /// (E·2·F,).
    pub bias: Option<VectorIx>,
    /// See [`Route::chosen`].
    pub chosen: ActivationIx,
    /// How they were.
    pub routing: Routing,
    /// What is done to the gate.
    pub gate: Gate,
    /// Whether scores multiply g and not what comes out.
    pub scores_input: bool,
    /// (T, used, F).
    pub out: ActivationIx,
}

/// `residual[t] += Σ W[expert s of t] · x[t, s] + score · bias[expert s of t]`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MoeDown {
    /// (E·D, F): expert after expert.
    pub weight: MatrixIx,
    /// (E·D,).
    pub bias: Option<VectorIx>,
    /// (T, used, F).
    pub x: ActivationIx,
    /// See [`Route::chosen`].
    pub chosen: ActivationIx,
    /// How they were.
    pub routing: Routing,
    /// (T, D), read and written.
    pub residual: ActivationIx,
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
