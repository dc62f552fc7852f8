//! Twin of `shaders/kernel/linear.wgsl`.

use super::{Dense, Norm, at, input};

/// `out[t] = W · norm(x[t]) + bias`: W (R, K), x (T, K), bias (R,) → (T, R).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn linear(
    weight: Dense<'_>,
    x: &[f32],
    norm: Option<Norm<'_>>,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let mut out = Vec::new();
    for x in x.chunks_exact(weight.cols) {
        let y = input(x, norm);
        out.extend((0..weight.rows()).map(|r| (weight.dot(r, &y) + at(bias, r)) as f32));
    }
    out
}
