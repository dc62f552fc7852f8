//! Twin of `shaders/kernel/moe_down.wgsl`.

use super::{Dense, at};

/// `residual[t] += Σ W[expert s of t] · x[t, s] + score · bias[expert s of t]`: W (E·D, F), x (T, used, F), bias (E·D,),
/// `chosen` the experts of each token with their scores, residual (T, D).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn moe_down(
    weight: Dense<'_>,
    x: &[f32],
    bias: Option<&[f32]>,
    chosen: &[Vec<(usize, f32)>],
    residual: &mut [f32],
) {
    let width = residual.len() / chosen.len();
    let tokens = residual.chunks_exact_mut(width).zip(chosen);
    for (t, (residual, chosen)) in tokens.enumerate() {
        let x = &x[t * chosen.len() * weight.cols..];
        for (r, out) in residual.iter_mut().enumerate() {
            let slots = chosen.iter().zip(x.chunks_exact(weight.cols));
            let sum: f64 = slots
                .map(|(&(expert, score), x)| {
                    let row = expert * width + r;
                    weight.dot(row, x) + f64::from(score) * at(bias, row)
                })
                .sum();
            *out = (f64::from(*out) + sum) as f32;
        }
    }
}
