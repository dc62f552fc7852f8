//! Twin of `shaders/kernel/gate_up.wgsl`.

use super::glu::gate;
use crate::graph::Gate;

/// `up[t] = gate(x[t], up[t])`: both (T, F).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn gate_up(x: &[f32], kind: Gate, up: &mut [f32]) {
    for (x, up) in x.iter().zip(up) {
        *up = gate(kind, f64::from(*x), f64::from(*up)) as f32;
    }
}
