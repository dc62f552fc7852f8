//! Twin of `shaders/kernel/head.wgsl`.

use super::{Dense, Norm, capped};

/// `logits[t] = cap(W · norm(x[t]))`: W (V, D), x (T, D) → (T, V).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn head(weight: Dense<'_>, x: &[f32], norm: Norm<'_>, cap: Option<f32>) -> Vec<f32> {
    let mut logits = Vec::new();
    for x in x.chunks_exact(weight.cols) {
        let y = norm.of(x);
        logits.extend((0..weight.rows()).map(|r| capped(weight.dot(r, &y), cap) as f32));
    }
    logits
}
