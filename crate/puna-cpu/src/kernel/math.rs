//! Sums and exponentials over slices, four floats at a time.

use crate::simd::lanes::{LANES, Lanes};

/// `Σ a·b`.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, rest_a) = a.as_chunks::<LANES>();
    let (b, rest_b) = b.as_chunks::<LANES>();
    let mut sums = [Lanes::splat(0.0); 2];
    for (a, b) in a.chunks(2).zip(b.chunks(2)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum = Lanes::from(*a).mul_add(Lanes::from(*b), *sum);
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]).sum() + rest
}

/// `Σ a·b` for four rows b, (4, len of a).
#[inline(always)]
pub(crate) fn dot4(a: &[f32], rows: &[f32]) -> [f32; 4] {
    let (r0, r1) = rows.split_at(2 * a.len());
    let ((r0, r1), (r2, r3)) = (r0.split_at(a.len()), r1.split_at(a.len()));
    let (lanes, rest) = a.as_chunks::<LANES>();
    let rows = [r0, r1, r2, r3].map(|row| row.as_chunks::<LANES>());
    let mut sums = [Lanes::splat(0.0); 4];
    let four = rows[0]
        .0
        .iter()
        .zip(rows[1].0)
        .zip(rows[2].0)
        .zip(rows[3].0);
    for (a, (((r0, r1), r2), r3)) in lanes.iter().zip(four) {
        for (sum, row) in sums.iter_mut().zip([r0, r1, r2, r3]) {
            *sum = Lanes::from(*a).mul_add(Lanes::from(*row), *sum);
        }
    }
    let mut sums = Lanes::sums(sums).array();
    for (sum, (_, row)) in sums.iter_mut().zip(rows) {
        *sum += rest.iter().zip(row).map(|(a, b)| a * b).sum::<f32>();
    }
    sums
}

/// `out += Σ weights[i] · rows[i]` for four rows, (4, len of out).
#[inline(always)]
pub(crate) fn add4(weights: &[f32; 4], rows: &[f32], out: &mut [f32]) {
    let (a, b) = rows.split_at(2 * out.len());
    let ((a, b), (c, d)) = (a.split_at(out.len()), b.split_at(out.len()));
    let [w0, w1, w2, w3] = weights.map(Lanes::splat);
    let (lanes, rest) = out.as_chunks_mut::<LANES>();
    let [(a, rest_a), (b, rest_b), (c, rest_c), (d, rest_d)] =
        [a, b, c, d].map(|row| row.as_chunks::<LANES>());
    for (out, (((a, b), c), d)) in lanes.iter_mut().zip(a.iter().zip(b).zip(c).zip(d)) {
        let first = w0.mul_add(Lanes::from(*a), w1 * Lanes::from(*b));
        let second = w2.mul_add(Lanes::from(*c), w3 * Lanes::from(*d));
        *out = (Lanes::from(*out) + (first + second)).array();
    }
    let rows = rest_a.iter().zip(rest_b).zip(rest_c).zip(rest_d);
    for (out, (((a, b), c), d)) in rest.iter_mut().zip(rows) {
        let [w0, w1, w2, w3] = weights;
        *out += (w0 * a + w1 * b) + (w2 * c + w3 * d);
    }
}

/// Scores become weights that add up to 1: `e^x / Σ e^x`.
#[inline(always)]
pub(crate) fn softmax(scores: &mut [f32]) {
    let (lanes, rest) = scores.as_chunks_mut::<LANES>();
    let mut highest = Lanes::splat(f32::MIN);
    for x in lanes.iter() {
        highest = highest.max(Lanes::from(*x));
    }
    let highest = Lanes::splat(rest.iter().copied().fold(highest.highest(), f32::max));
    let mut sums = Lanes::splat(0.0);
    for x in lanes.iter_mut() {
        let weights = (Lanes::from(*x) - highest).exp();
        sums += weights;
        *x = weights.array();
    }
    let mut sum = sums.sum();
    for x in rest.iter_mut() {
        [*x, ..] = (Lanes::splat(*x) - highest).exp().array();
        sum += *x;
    }
    let inverse = 1.0 / sum;
    for x in lanes.iter_mut() {
        *x = (Lanes::from(*x) * Lanes::splat(inverse)).array();
    }
    rest.iter_mut().for_each(|x| *x *= inverse);
}

/// `silu(gate)·up` of four pairs (gate, up).
#[inline(always)]
pub(crate) fn silu(pairs: [f32; 2 * LANES]) -> [f32; LANES] {
    let [gate, up] = Lanes::unzip(std::array::from_fn(|i| {
        Lanes::from(std::array::from_fn(|lane| pairs[LANES * i + lane]))
    }));
    let one = Lanes::splat(1.0);
    (gate.over(one + (Lanes::splat(0.0) - gate).exp()) * up).array()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_any_length_are_whole() {
        for len in [0, 1, 7, 8, 9, 12, 31] {
            let a: Vec<f32> = (1..=len).map(|i| i as f32).collect();
            let ones = vec![1.0; len];
            let total = (len * (len + 1) / 2) as f32;
            assert_eq!(dot(&a, &ones), total, "length {len}");
        }
    }

    #[test]
    fn weights_of_any_length_add_up_to_one() {
        for len in [1, 3, 4, 5, 9] {
            let scores: Vec<f32> = (0..len).map(|i| (i * 7 % 5) as f32 - 2.0).collect();
            let whole: f64 = scores.iter().map(|x| f64::from(*x).exp()).sum();
            let mut weights = scores.clone();
            softmax(&mut weights);
            for (score, weight) in scores.iter().zip(&weights) {
                let expected = f64::from(*score).exp() / whole;
                let off = (f64::from(*weight) - expected).abs();
                assert!(off < 1e-6, "length {len}: {weight}, expected {expected}");
            }
        }
    }

    #[test]
    fn gates_open_by_their_sigmoid() {
        let pairs = [-3.0, 2.0, 0.0, 5.0, 1.5, -1.0, 40.0, 2.0];
        for (i, got) in silu(pairs).into_iter().enumerate() {
            let (gate, up) = (f64::from(pairs[2 * i]), f64::from(pairs[2 * i + 1]));
            let expected = gate / (1.0 + (-gate).exp()) * up;
            let off = (f64::from(got) - expected).abs();
            assert!(off <= 1e-6 * expected.abs(), "{got}, expected {expected}");
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
