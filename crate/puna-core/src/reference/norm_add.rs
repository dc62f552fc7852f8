//! Twin of `shaders/kernel/norm_add.wgsl`.

use super::Norm;

/// `residual[t] += norm(x[t])`: x (T, D), residual (T, D).
pub fn norm_add(x: &[f32], norm: Norm<'_>, residual: &mut [f32]) {
    let width = norm.gain.len();
    for (x, residual) in x.chunks_exact(width).zip(residual.chunks_exact_mut(width)) {
        for (out, normed) in residual.iter_mut().zip(norm.of(x)) {
            *out += normed;
        }
    }
}
