//! The CPU twin of every kernel, naive on purpose: f64 sums, no tiling, one for all formats and
//! variants. What a kernel computes is what stands here.

pub mod attention;
pub mod deinterleave;
pub mod embed;
mod executor;
pub mod glu;
pub mod head;
pub mod linear_add;
pub mod penalize;
pub mod qkv;
pub mod repack;
pub mod sample;

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

/// `x · gain / √(mean(x²) + eps)`, (K,) (Zhang and Sennrich 2019, arXiv 1910.07467).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn rms_norm(x: &[f32], gain: &[f32], eps: f32) -> Vec<f32> {
    let square: f64 = x.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    let scale = 1.0 / (square / x.len() as f64 + f64::from(eps)).sqrt();
    x.iter()
        .zip(gain)
        .map(|(&x, &gain)| (f64::from(x) * f64::from(gain) * scale) as f32)
        .collect()
}
