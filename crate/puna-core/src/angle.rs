//! Sine and cosine. The library's are exact for angles of any size, and some kilobytes for that.

use std::f64::consts::FRAC_2_PI;

/// π/2: 33 bits, so that multiples up to 2²⁰ are exact, and the rest.
const QUARTER: [f64; 2] = [1.570_796_326_734_125_6, 6.077_100_506_506_192e-11];

/// From here on numbers lie an eighth and more apart, and angles mean nothing.
const LARGEST: f64 = 1e15;

/// `(sin, cos)`. Their error is 1e-15 up to a million, from there the last bit of the angle.
#[must_use]
pub(crate) fn sin_cos(angle: f64) -> (f64, f64) {
    if angle.is_nan() || angle.abs() >= LARGEST {
        return (0.0, 1.0);
    }
    let quarters = (angle * FRAC_2_PI).round();
    let [high, low] = QUARTER;
    let x = angle - quarters * high - quarters * low;
    // Taylor's series within π/4, up to terms of 1e-17.
    let square = x * x;
    let series = |from: i32| {
        (0..8).rev().fold(1.0, |sum, term| {
            let n = f64::from(2 * term + from);
            1.0 - square / (n * (n + 1.0)) * sum
        })
    };
    let (sin, cos) = (x * series(2), series(1));
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole, and saturated where it makes no difference"
    )]
    match quarters as i64 & 3 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_librarys() {
        let mut angle = 1e-9;
        while angle < 1e9 {
            for x in [angle, -angle, angle * 1.7] {
                let (sin, cos) = sin_cos(x);
                let error = (sin - x.sin()).abs().max((cos - x.cos()).abs());
                let allowed = if x.abs() < 1e6 {
                    1e-15
                } else {
                    f64::EPSILON * x.abs()
                };
                assert!(error <= allowed, "{x}: {error}");
            }
            angle *= 1.003;
        }
        assert_eq!(sin_cos(0.0), (0.0, 1.0));
        for senseless in [1e15, -1e300, f64::INFINITY, f64::NAN] {
            assert_eq!(sin_cos(senseless), (0.0, 1.0), "{senseless}");
        }
        let (sin, cos) = sin_cos(9.9e14);
        assert!(
            (sin * sin + cos * cos - 1.0).abs() < 0.1,
            "a number at least"
        );
    }
}
