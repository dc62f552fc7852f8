//! Twin of `shaders/kernel/linear_add.wgsl`.

use super::{Dense, at};

/// `residual[t, r] += W[r] · x[t] + bias[r]`: W (R, K), x (T, K), bias (R,), residual (T, R).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn linear_add(weight: Dense<'_>, x: &[f32], bias: Option<&[f32]>, residual: &mut [f32]) {
    for (x, residual) in x
        .chunks_exact(weight.cols)
        .zip(residual.chunks_exact_mut(weight.rows()))
    {
        for (r, out) in residual.iter_mut().enumerate() {
            *out = (f64::from(*out) + weight.dot(r, x) + at(bias, r)) as f32;
        }
    }
}
