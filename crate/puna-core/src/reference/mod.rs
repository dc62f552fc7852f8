//! The CPU twin of every kernel, naive on purpose: f64 sums, no tiling, one for all formats and
//! variants. What a kernel computes is what stands here.

pub mod attention;
pub mod deinterleave;
pub mod embed;
mod executor;
pub mod gate_up;
pub mod glu;
pub mod head;
pub mod head_linear;
pub mod latent;
pub mod layer_norm;
pub mod linear;
pub mod linear_add;
pub mod low_rank;
pub mod moe_down;
pub mod moe_glu;
pub mod norm_add;
pub mod penalize;
pub mod place;
pub mod positions;
pub mod qk_norm;
pub mod qkv;
pub mod quantize;
pub mod quantize_kv;
pub mod repack;
pub mod rounds;
pub mod route;
pub mod sample;
pub mod transpose;

use std::borrow::Cow;

pub use executor::Executor;

/// A weight matrix as floats, (rows, cols).
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a> {
    /// Row after row.
    pub data: &'a [f32],
    /// K.
    pub cols: usize,
}

impl Dense<'_> {
    /// R.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.data.len() / self.cols
    }

    /// Row `r`, (K,).
    #[must_use]
    pub fn row(&self, r: usize) -> &[f32] {
        &self.data[r * self.cols..(r + 1) * self.cols]
    }

    /// `W[r] · x`, summed in f64.
    #[must_use]
    pub fn dot(&self, r: usize, x: &[f32]) -> f64 {
        self.row(r)
            .iter()
            .zip(x)
            .map(|(&w, &x)| f64::from(w) * f64::from(x))
            .sum()
    }
}

/// RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467).
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// (K,).
    pub gain: &'a [f32],
    /// Added to the mean square.
    pub eps: f32,
}

impl Norm<'_> {
    /// `x · gain / √(mean(x²) + eps)`, (K,).
    #[must_use]
    pub fn of(&self, x: &[f32]) -> Vec<f32> {
        self.scaled(x, self.scale(x))
    }

    /// `1 / √(mean(x²) + eps)`.
    #[must_use]
    pub fn scale(&self, x: &[f32]) -> f64 {
        let square: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        1.0 / (square / x.len() as f64 + f64::from(self.eps)).sqrt()
    }

    /// `x · gain · scale`.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the twin rounds to f32 where a kernel stores"
    )]
    pub fn scaled(&self, x: &[f32], scale: f64) -> Vec<f32> {
        x.iter()
            .zip(self.gain)
            .map(|(&x, &gain)| (f64::from(x) * f64::from(gain) * scale) as f32)
            .collect()
    }
}

/// Element `ix` of a vector that may not be there; then 0.
pub(crate) fn at(vector: Option<&[f32]>, ix: usize) -> f64 {
    vector.map_or(0.0, |vector| vector[ix].into())
}

/// x (K,) as a projection reads it.
#[must_use]
pub fn input<'x>(x: &'x [f32], norm: Option<Norm<'_>>) -> Cow<'x, [f32]> {
    match norm {
        Some(norm) => Cow::Owned(norm.of(x)),
        None => Cow::Borrowed(x),
    }
}

/// `cap · tanh(x / cap)`, or x where there is no cap.
#[must_use]
pub fn capped(x: f64, cap: Option<f32>) -> f64 {
    match cap.map(f64::from) {
        Some(cap) => cap * (x / cap).tanh(),
        None => x,
    }
}
