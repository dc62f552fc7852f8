//! Sums and exponentials over slices.

/// Sums kept side by side.
const LANES: usize = 8;

/// `Σ a·b`.
#[inline(always)]
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

/// `Σ a·b` for four rows b, (4, len of a).
#[inline(always)]
pub(crate) fn dot4(a: &[f32], rows: &[f32]) -> [f32; 4] {
    let mut rows = rows.chunks_exact(a.len());
    std::array::from_fn(|_| rows.next().map_or(0.0, |row| dot(a, row)))
}

/// `out += Σ weights[i] · rows[i]` for four rows, (4, len of out).
#[inline(always)]
pub(crate) fn add4(weights: &[f32], rows: &[f32], out: &mut [f32]) {
    let &[w0, w1, w2, w3] = weights else { return };
    let (a, b) = rows.split_at(2 * out.len());
    let ((a, b), (c, d)) = (a.split_at(out.len()), b.split_at(out.len()));
    let rows = a.iter().zip(b).zip(c).zip(d);
    for (out, (((a, b), c), d)) in out.iter_mut().zip(rows) {
        *out += (w0 * a + w1 * b) + (w2 * c + w3 * d);
    }
}

/// `Σ a`.
#[inline(always)]
pub(crate) fn sum(a: &[f32]) -> f32 {
    let (a, rest) = a.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for a in a {
        for i in 0..LANES {
            sums[i] += a[i];
        }
    }
    sums.iter().sum::<f32>() + rest.iter().sum::<f32>()
}

/// The largest of them.
#[inline(always)]
pub(crate) fn max(a: &[f32]) -> f32 {
    let (a, rest) = a.as_chunks::<LANES>();
    let mut highest = [f32::MIN; LANES];
    for a in a {
        for i in 0..LANES {
            // No `max`, which asks for more where a number is none.
            highest[i] = if a[i] > highest[i] { a[i] } else { highest[i] };
        }
    }
    highest.iter().chain(rest).copied().fold(f32::MIN, f32::max)
}

/// `e^x`, within 2 units in the last place; 0 below -87, and never infinite.
#[inline(always)]
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
            let total = (len * (len + 1) / 2) as f32;
            assert_eq!(dot(&a, &ones), total, "dot, length {len}");
            assert_eq!(sum(&a), total, "sum, length {len}");
            let highest = if len == 0 { f32::MIN } else { len as f32 };
            assert_eq!(max(&a), highest, "max, length {len}");
        }
    }

    #[test]
    fn four_rows_are_taken_at_once() {
        for len in [1, 8, 13] {
            let row = |n: usize| (0..len).map(move |i| (n * 10 + i) as f32);
            let rows: Vec<f32> = (0..4).flat_map(row).collect();
            let a: Vec<f32> = row(7).collect();
            let expected: [f32; 4] =
                [0, 1, 2, 3].map(|n| a.iter().zip(row(n)).map(|(a, b)| a * b).sum());
            assert_eq!(dot4(&a, &rows), expected, "dots, length {len}");
            let mut out = a.clone();
            add4(&[1.0, 2.0, 3.0, 4.0], &rows, &mut out);
            for (i, out) in out.iter().enumerate() {
                let added: f32 = (0..4).map(|n| (n + 1) as f32 * rows[n * len + i]).sum();
                assert_eq!(*out, a[i] + added, "sums, length {len}");
            }
        }
    }
}
