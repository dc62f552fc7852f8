//! Twin of `shaders/kernel/moe_glu.wgsl`.

use super::glu::gate;
use super::{Dense, Norm, at, input};
use crate::graph::Gate;

/// What [`moe_glu`] reads.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// W (E·2·F, D).
    pub weight: Dense<'a>,
    /// 2·F.
    pub rows: usize,
    /// (T, D).
    pub x: &'a [f32],
    /// Of x, if it is read through one.
    pub norm: Option<Norm<'a>>,
    /// (E·2·F,).
    pub bias: Option<&'a [f32]>,
    /// What comes through a gate.
    pub gate: Gate,
    /// Whether the score multiplies `W · norm(x[t])` and not what comes out.
    pub scores_input: bool,
}

/// `out[t, s, i] = gate(g[2i], g[2i + 1]) · score` with `g = W[expert s of t] · norm(x[t]) + bias[expert s of t]`: `chosen` the
/// experts of each token with their scores → (T, used, F).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn moe_glu(inputs: &Inputs<'_>, chosen: &[Vec<(usize, f32)>]) -> Vec<f32> {
    let &Inputs { weight, rows, .. } = inputs;
    let mut out = Vec::new();
    for (x, chosen) in inputs.x.chunks_exact(weight.cols).zip(chosen) {
        let y = input(x, inputs.norm);
        for &(expert, score) in chosen {
            let score = f64::from(score);
            let (inner, outer) = if inputs.scores_input {
                (score, 1.0)
            } else {
                (1.0, score)
            };
            out.extend((0..rows / 2).map(|i| {
                let row = expert * rows + 2 * i;
                let [g, up] =
                    [row, row + 1].map(|row| inner * weight.dot(row, &y) + at(inputs.bias, row));
                (gate(inputs.gate, g, up) * outer) as f32
            }));
        }
    }
    out
}
