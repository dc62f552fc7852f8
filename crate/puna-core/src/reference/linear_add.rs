//! Twin of `shaders/kernel/linear_add.wgsl`.

use super::Dense;

/// `residual[t, r] += W[r] · x[t]`: W (R, K), x (T, K), residual (T, R).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn linear_add(weight: Dense<'_>, x: &[f32], residual: &mut [f32]) {
    for (x, residual) in x
        .chunks_exact(weight.cols)
        .zip(residual.chunks_exact_mut(weight.rows()))
    {
        for (r, out) in residual.iter_mut().enumerate() {
            *out = (f64::from(*out) + weight.dot(r, x)) as f32;
        }
    }
}
