//! Twin of `shaders/kernel/low_rank.wgsl` and of what `shaders/lib/low_rank.wgsl` adds to a projection.

use super::{Dense, Norm, input};
use crate::graph::{Factors, LowRank};

/// `out[t, j] = scale · A[j] · norm(x[t])`: A (groups · N · r, K), a scale an adapter (N,), x (T, K) → (T, groups · N · r).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn low_rank(
    down: Dense<'_>,
    low_rank: &LowRank,
    x: &[f32],
    norm: Option<Norm<'_>>,
    scales: &[f32],
) -> Vec<f32> {
    let mut out = Vec::new();
    for x in x.chunks_exact(down.cols) {
        let y = input(x, norm);
        out.extend((0..down.rows()).map(|j| {
            let scale = scales[j / low_rank.rank % low_rank.adapters];
            (f64::from(scale) * down.dot(j, &y)) as f32
        }));
    }
    out
}

/// `W += scale · B · A`, of one adapter: W (R, K), B and A as [`Factors`] has them.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn merge(weight: &mut [f32], low_rank: &LowRank, factors: &Factors, scale: f32) {
    let rank = low_rank.rank;
    let rows = factors.up.len() / rank;
    let cols = weight.len() / rows;
    for (row, weight) in weight.chunks_exact_mut(cols).enumerate() {
        let up = &factors.up[row * rank..(row + 1) * rank];
        let first = low_rank.groups.of(row) * rank;
        for (col, weight) in weight.iter_mut().enumerate() {
            let down = factors.down[first * cols + col..].iter().step_by(cols);
            let sum: f64 = up
                .iter()
                .zip(down)
                .map(|(b, a)| f64::from(*b) * f64::from(*a))
                .sum();
            *weight = (f64::from(*weight) + f64::from(scale) * sum) as f32;
        }
    }
}
