//! Twin of `shaders/kernel/glu.wgsl`.

use super::{Dense, rms_norm};

/// `out[t, i] = silu(W[2i] · y) · (W[2i + 1] · y)` with `y = rmsnorm(x[t])`: W (2F, D), x (T, D) → (T, F)
/// (`SwiGLU`, Shazeer 2020, arXiv 2002.05202).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn glu(weight: Dense<'_>, x: &[f32], gain: &[f32], eps: f32) -> Vec<f32> {
    let mut out = Vec::new();
    for x in x.chunks_exact(weight.cols) {
        let y = rms_norm(x, gain, eps);
        out.extend((0..weight.rows() / 2).map(|i| {
            let gate = weight.dot(2 * i, &y);
            (gate / (1.0 + (-gate).exp()) * weight.dot(2 * i + 1, &y)) as f32
        }));
    }
    out
}
