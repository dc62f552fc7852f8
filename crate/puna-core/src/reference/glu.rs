//! Twin of `shaders/kernel/glu.wgsl`.

use super::{Dense, Norm, input};
use crate::graph::Gate;

/// `out[t, i] = gate(W[2i] · y, W[2i + 1] · y)` with `y = norm(x[t])`: W (2F, D), x (T, D) → (T, F)
/// (Shazeer 2020, arXiv 2002.05202).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn glu(weight: Dense<'_>, x: &[f32], norm: Option<Norm<'_>>, kind: Gate) -> Vec<f32> {
    let mut out = Vec::new();
    for x in x.chunks_exact(weight.cols) {
        let y = input(x, norm);
        out.extend(
            (0..weight.rows() / 2)
                .map(|i| gate(kind, weight.dot(2 * i, &y), weight.dot(2 * i + 1, &y)) as f32),
        );
    }
    out
}

/// What comes through a gate of `x`: `up`, or what becomes of it.
#[must_use]
pub fn gate(kind: Gate, x: f64, up: f64) -> f64 {
    match kind {
        Gate::Silu => x / (1.0 + (-x).exp()) * up,
        Gate::GeluTanh => {
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
            0.5 * x * (1.0 + inner.tanh()) * up
        }
        Gate::ClampedSwish => {
            let x = x.min(7.0);
            x / (1.0 + (-1.702 * x).exp()) * (up.clamp(-7.0, 7.0) + 1.0)
        }
    }
}
