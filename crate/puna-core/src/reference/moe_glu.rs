//! Twin of `shaders/kernel/moe_glu.wgsl`.

use super::glu::gate;
use super::{Dense, Norm, input};
use crate::graph::Gate;

/// `out[t, s, i] = gate(g[2i]) · g[2i + 1] · score` with `g = W[expert s of t] · norm(x[t])`: W (E·2·F, D), x (T, D),
/// `chosen` the experts of each token with their scores → (T, used, F). Or the score multiplies g.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn moe_glu(
    weight: Dense<'_>,
    rows: usize,
    x: &[f32],
    norm: Option<Norm<'_>>,
    chosen: &[Vec<(usize, f32)>],
    kind: Gate,
    scores_input: bool,
) -> Vec<f32> {
    let mut out = Vec::new();
    for (x, chosen) in x.chunks_exact(weight.cols).zip(chosen) {
        let y = input(x, norm);
        for &(expert, score) in chosen {
            let score = f64::from(score);
            let (inner, outer) = if scores_input {
                (score, 1.0)
            } else {
                (1.0, score)
            };
            out.extend((0..rows / 2).map(|i| {
                let row = expert * rows + 2 * i;
                let [g, up] = [row, row + 1].map(|row| inner * weight.dot(row, &y));
                (gate(kind, g) * up * outer) as f32
            }));
        }
    }
    out
}
