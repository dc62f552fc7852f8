//! Twin of `shaders/kernel/moe_down.wgsl`.

use super::Dense;

/// `residual[t] += Σ W[expert s of t] · x[t, s]`: W (E·D, F), x (T, used, F), `chosen` the experts of each token, residual
/// (T, D).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn moe_down(weight: Dense<'_>, x: &[f32], chosen: &[Vec<(usize, f32)>], residual: &mut [f32]) {
    let width = residual.len() / chosen.len();
    let tokens = residual.chunks_exact_mut(width).zip(chosen);
    for (t, (residual, chosen)) in tokens.enumerate() {
        let x = &x[t * chosen.len() * weight.cols..];
        for (r, out) in residual.iter_mut().enumerate() {
            let slots = chosen.iter().zip(x.chunks_exact(weight.cols));
            let sum: f64 = slots
                .map(|(&(expert, _), x)| weight.dot(expert * width + r, x))
                .sum();
            *out = (f64::from(*out) + sum) as f32;
        }
    }
}
