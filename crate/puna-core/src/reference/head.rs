//! Twin of `shaders/kernel/head.wgsl`.

use super::{Dense, rms_norm};

/// `logits[t] = W · rmsnorm(x[t])`: W (V, D), x (T, D) → (T, V).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn head(weight: Dense<'_>, x: &[f32], gain: &[f32], eps: f32) -> Vec<f32> {
    let mut logits = Vec::new();
    for x in x.chunks_exact(weight.cols) {
        let y = rms_norm(x, gain, eps);
        logits.extend((0..weight.rows()).map(|r| weight.dot(r, &y) as f32));
    }
    logits
}
