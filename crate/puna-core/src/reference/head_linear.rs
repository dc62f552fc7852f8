//! Twin of `shaders/kernel/head_linear.wgsl`.

use super::Dense;

/// `out[t, h] = W[h] · x[t, h]`: W (H·R, K), x (T, H, K and more), out (T, H, R and more), the first elements of each head.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn head_linear(weight: Dense<'_>, heads: usize, tokens: usize, x: &[f32], out: &mut [f32]) {
    let rows = weight.rows() / heads;
    let (x_each, out_each) = (x.len() / tokens / heads, out.len() / tokens / heads);
    let heads_of = x.chunks_exact(x_each).zip(out.chunks_exact_mut(out_each));
    for (ix, (x, out)) in heads_of.enumerate() {
        let first = ix % heads * rows;
        for (r, out) in out[..rows].iter_mut().enumerate() {
            *out = weight.dot(first + r, &x[..weight.cols]) as f32;
        }
    }
}
