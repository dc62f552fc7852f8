//! The exponential function, the same to the last bit on every platform.
//!
//! The standard library's takes whatever the platform has, and the last bit of a weight can decide
//! which token is drawn. Here are only additions, multiplications and an exact scaling, which IEEE 754
//! fixes.

use std::f64::consts::LOG2_E;

/// ln 2 as a sum: the first part has trailing zeros, so that its product with a small integer is exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
/// Below this the result is less than the smallest normal number; here it counts as 0.
const SMALLEST: f64 = -708.0;
/// 1/n! for n from 13 down to 0; the next term is below 4e-18 for |r| ≤ ln 2 / 2.
const TAYLOR: [f64; 14] = [
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
    1.0,
];

/// e^x for x ≤ 0, within 2 units in the last place; 0 for x < -708.
#[must_use]
pub(super) fn exp(x: f64) -> f64 {
    if x < SMALLEST {
        return 0.0;
    }
    // x = k ln 2 + r, |r| ≤ ln 2 / 2.
    #[expect(clippy::cast_possible_truncation, reason = "k is from -1022 to 0")]
    let k = (x * LOG2_E - 0.5) as i32;
    let r = x - f64::from(k) * LN2_HIGH - f64::from(k) * LN2_LOW;
    let power = TAYLOR.iter().fold(0.0, |sum, term| sum * r + term);
    // 2^k by its bits.
    let exponent = u64::try_from(k + 1023).unwrap_or(0);
    power * f64::from_bits(exponent << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_standard_library() {
        for step in 0..700_000 {
            let x = -f64::from(step) / 1000.0 - f64::from(step % 7) * 1e-5;
            let (got, expected) = (exp(x), x.exp());
            let error = ((got - expected) / expected).abs();
            assert!(error < 5e-16, "exp({x}) is {got}, expected {expected}");
        }
        assert_eq!(exp(0.0).to_bits(), 1.0_f64.to_bits(), "exactly 1");
        assert!(exp(-708.1) < f64::MIN_POSITIVE, "too small");
        assert!(exp(f64::NEG_INFINITY) < f64::MIN_POSITIVE, "nothing");
    }

    #[test]
    fn bits_are_the_same_everywhere() {
        // Those of the correctly rounded values.
        for (x, bits) in [
            (-1.0, 0x3fd7_8b56_362c_ef38),
            (-0.5, 0x3fe3_68b2_fc6f_960a_u64),
        ] {
            assert_eq!(exp(x).to_bits(), bits, "exp({x}) is {:x}", exp(x).to_bits());
        }
    }
}
