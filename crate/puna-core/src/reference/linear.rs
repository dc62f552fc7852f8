//! Twin of `shaders/kernel/linear.wgsl`.

use super::{Dense, Norm, at, input};
use crate::graph::Activate;

/// `out[t] = activate(W · norm(x[t]) + bias)`: W (R, K), x (T, K), bias (R,) → (T, R).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn linear(
    weight: Dense<'_>,
    x: &[f32],
    norm: Option<Norm<'_>>,
    bias: Option<&[f32]>,
    activate: Option<Activate>,
) -> Vec<f32> {
    let mut out = Vec::new();
    for x in x.chunks_exact(weight.cols) {
        let y = input(x, norm);
        out.extend((0..weight.rows()).map(|r| {
            let value = weight.dot(r, &y) + at(bias, r);
            activated(activate, value) as f32
        }));
    }
    out
}

/// What is made of an element.
#[must_use]
pub fn activated(activate: Option<Activate>, x: f64) -> f64 {
    match activate {
        None => x,
        Some(Activate::Gelu) => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
    }
}

/// The error function: its series (Abramowitz and Stegun 1964, 7.1.6), which is exact as far as it is not 1.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let mut term = x;
    let mut sum = x;
    for n in 1..200 {
        term *= 2.0 * x * x / f64::from(2 * n + 1);
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
    }
    2.0 / std::f64::consts::PI.sqrt() * (-x * x).exp() * sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_what_tables_say() {
        // Abramowitz and Stegun, table 7.1.
        for (x, expected) in [
            (0.0, 0.0),
            (0.1, 0.112_462_916_0),
            (0.5, 0.520_499_877_8),
            (1.0, 0.842_700_792_9),
            (2.0, 0.995_322_265_0),
            (3.5, 0.999_999_256_9),
            (7.0, 1.0),
        ] {
            assert!((erf(x) - expected).abs() < 1e-10, "{x}: {}", erf(x));
            assert!((erf(-x) + expected).abs() < 1e-10, "-{x}");
        }
    }
}
