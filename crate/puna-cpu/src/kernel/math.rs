//! Sums and exponentials over slices.

/// Sums kept side by side.
const LANES: usize = 8;

/// `Σ a·b`.
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (a, rest_a) = a.as_chunks::<LANES>();
    let (b, rest_b) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// `e^x`, within 2 units in the last place; 0 below -87, and never infinite.
pub(crate) fn exp(x: f32) -> f32 {
    // x = n·ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, the first exact in few bits (Cody and Waite 1980).
    const LN2_HIGH: f32 = f32::from_bits(0x3f31_8000);
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Adding 1.5·2²³ rounds to a whole number, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.3, 88.3);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    // The Taylor series to the sixth power: the next term is below 2^-27.
    let mut p = 1.0 / 720.0;
    for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// `silu(gate)·up`.
pub(crate) fn silu(gate: f32, up: f32) -> f32 {
    gate / (1.0 + exp(-gate)) * up
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_accurate() {
        for i in -8700..=8800 {
            let x = i as f32 / 100.0;
            let expected = f64::from(x).exp();
            let off = (f64::from(exp(x)) - expected).abs() / expected;
            assert!(off < 3e-7, "e^{x}: {off} off");
        }
        assert!(exp(-1e30) < 1e-37 && exp(1e30).is_finite(), "at the ends");
        assert_eq!(exp(0.0), 1.0, "e^0");
    }

    #[test]
    fn dots_of_any_length_are_whole() {
        for len in [0, 1, 7, 8, 9, 31] {
            let a: Vec<f32> = (1..=len).map(|i| i as f32).collect();
            let ones = vec![1.0; len];
            assert_eq!(dot(&a, &ones), (len * (len + 1) / 2) as f32, "length {len}");
        }
    }
}
