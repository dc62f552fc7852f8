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

/// Each x becomes `lift · e^(x - the highest)`; the sum of what they are now. A sink is one of them that is seen in the sum
/// alone.
#[inline(always)]
pub(crate) fn exponentials(scores: &mut [f32], sink: Option<f32>, lift: f32) -> f32 {
    let (lanes, rest) = scores.as_chunks_mut::<LANES>();
    let mut highest = Lanes::splat(f32::MIN);
    for x in lanes.iter() {
        highest = highest.max(Lanes::from(*x));
    }
    let others = rest.iter().copied().chain(sink);
    let highest = Lanes::splat(others.fold(highest.highest(), f32::max));
    let lift = Lanes::splat(lift);
    let mut sums = Lanes::splat(0.0);
    for x in lanes.iter_mut() {
        let weights = (Lanes::from(*x) - highest).exp() * lift;
        sums += weights;
        *x = weights.array();
    }
    let mut sum = sums.sum();
    for x in rest.iter_mut() {
        [*x, ..] = ((Lanes::splat(*x) - highest).exp() * lift).array();
        sum += *x;
    }
    if let Some(sink) = sink {
        let [weight, ..] = ((Lanes::splat(sink) - highest).exp() * lift).array();
        sum += weight;
    }
    sum
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

/// `gelu(gate)·up` of four pairs (gate, up), by tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415).
#[inline(always)]
pub(crate) fn gelu_tanh(pairs: [f32; 2 * LANES]) -> [f32; LANES] {
    let [gate, up] = Lanes::unzip(std::array::from_fn(|i| {
        Lanes::from(std::array::from_fn(|lane| pairs[LANES * i + lane]))
    }));
    // x·(1 + tanh(y)) / 2 = x / (1 + e^(-2y)).
    let [linear, cubic] = [-2.0 * 0.797_884_6, -2.0 * 0.797_884_6 * 0.044_715];
    let inner = (gate * gate).mul_add(Lanes::splat(cubic), Lanes::splat(linear)) * gate;
    (gate.over(Lanes::splat(1.0) + inner.exp()) * up).array()
}

/// `clamped_swish(gate, up)` of four pairs (gate, up): see `puna_core::graph::Gate`.
#[inline(always)]
pub(crate) fn clamped_swish(pairs: [f32; 2 * LANES]) -> [f32; LANES] {
    let gates = std::array::from_fn(|i| pairs[2 * i].min(7.0));
    let ups = std::array::from_fn(|i| pairs[2 * i + 1].clamp(-7.0, 7.0) + 1.0);
    let (gate, one) = (Lanes::from(gates), Lanes::splat(1.0));
    (gate.over(one + (gate * Lanes::splat(-1.702)).exp()) * Lanes::from(ups)).array()
}

/// Each x becomes `x · Φ(x)`, Φ the normal distribution, by a polynomial that is off by 1.5e-7 at most (Abramowitz and Stegun
/// 1964, 7.1.26).
#[inline(always)]
pub(crate) fn gelu(values: &mut [f32]) {
    let bent = |x: Lanes| {
        let (zero, one) = (Lanes::splat(0.0), Lanes::splat(1.0));
        let size = x.max(zero - x);
        // 1 / (1 + p·|x| / √2)
        let t = one.over(size.mul_add(
            Lanes::splat(0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2),
            one,
        ));
        let mut sum = Lanes::splat(1.061_405_4);
        for coefficient in [-1.453_152, 1.421_413_7, -0.284_496_74, 0.254_829_6] {
            sum = sum.mul_add(t, Lanes::splat(coefficient));
        }
        let tail = sum * t * (x * x * Lanes::splat(-0.5)).exp();
        x.max(zero) - size * tail * Lanes::splat(0.5)
    };
    let (lanes, rest) = values.as_chunks_mut::<LANES>();
    for x in lanes {
        *x = bent(Lanes::from(*x)).array();
    }
    for x in rest {
        [*x, ..] = bent(Lanes::splat(*x)).array();
    }
}

/// Each x becomes `cap · tanh(x / cap)`.
#[inline(always)]
pub(crate) fn cap(values: &mut [f32], cap: f32) {
    let (twice, one) = (Lanes::splat(-2.0 / cap), Lanes::splat(1.0));
    // tanh(y) = 2 / (1 + e^(-2y)) - 1
    let capped =
        |x: Lanes| (Lanes::splat(2.0).over(one + (x * twice).exp()) - one) * Lanes::splat(cap);
    let (lanes, rest) = values.as_chunks_mut::<LANES>();
    for x in lanes {
        *x = capped(Lanes::from(*x)).array();
    }
    for x in rest {
        [*x, ..] = capped(Lanes::splat(*x)).array();
    }
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
    fn exponentials_of_any_length_are_right() {
        let sinks = [None, Some(-1.5), Some(3.5)];
        for (len, sink) in [1, 3, 4, 5, 9]
            .into_iter()
            .flat_map(|len| sinks.map(|it| (len, it)))
        {
            let scores: Vec<f32> = (0..len).map(|i| (i * 7 % 5) as f32 - 2.0).collect();
            let highest = scores.iter().copied().chain(sink).fold(f32::MIN, f32::max);
            let mut weights = scores.clone();
            let sum = exponentials(&mut weights, sink, 8.0);
            let mut whole = sink.map_or(0.0, |sink| 8.0 * f64::from(sink - highest).exp());
            for (score, weight) in scores.iter().zip(&weights) {
                let expected = 8.0 * f64::from(*score - highest).exp();
                whole += expected;
                let off = (f64::from(*weight) - expected).abs();
                assert!(off < 1e-6, "length {len}: {weight}, expected {expected}");
            }
            let off = (f64::from(sum) - whole).abs();
            assert!(
                off < 1e-5,
                "length {len}: their sum is {sum}, expected {whole}"
            );
        }
    }

    #[test]
    fn bounds_bend_by_tanh() {
        let values = [-200.0, -3.0, 0.0, 0.01, 1.5, 40.0, 4.0];
        let mut got = values;
        cap(&mut got, 5.0);
        for (x, got) in values.into_iter().zip(got) {
            let expected = 5.0 * (f64::from(x) / 5.0).tanh();
            let off = (f64::from(got) - expected).abs();
            assert!(off < 2e-6, "{x}: {got}, expected {expected}");
        }
    }

    #[test]
    fn gates_open_by_the_normal_distribution() {
        let pairs = [-3.0, 2.0, 0.0, 5.0, 1.5, -1.0, 40.0, 2.0];
        for (i, got) in gelu_tanh(pairs).into_iter().enumerate() {
            let (gate, up) = (f64::from(pairs[2 * i]), f64::from(pairs[2 * i + 1]));
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (gate + 0.044_715 * gate.powi(3));
            let expected = 0.5 * gate * (1.0 + inner.tanh()) * up;
            let off = (f64::from(got) - expected).abs();
            assert!(
                off <= 2e-6 * expected.abs().max(0.1),
                "{got}, expected {expected}"
            );
        }
    }

    #[test]
    fn values_bend_by_the_normal_distribution() {
        // Φ by its tables: Abramowitz and Stegun, 26.1.
        for (x, normal) in [
            (0.0, 0.5),
            (0.1, 0.539_827_837_3),
            (1.0, 0.841_344_746_1),
            (2.5, 0.993_790_334_7),
            (6.0, 0.999_999_999_0),
            (40.0, 1.0),
        ] {
            for (x, normal) in [(x, normal), (-x, 1.0 - normal)] {
                #[expect(clippy::cast_possible_truncation, reason = "f32 is what is tested")]
                let mut got = [x as f32; 5];
                gelu(&mut got);
                let off = got.map(|got| (f64::from(got) - x * normal).abs());
                assert!(
                    off.iter().all(|&off| off < 3e-7 * x.abs().max(1.0)),
                    "{x}: {got:?}"
                );
            }
        }
    }

    #[test]
    fn clamped_gates_open_by_their_sigmoid_and_let_one_more_through() {
        let pairs = [-3.0, 2.0, 0.0, 5.0, 1.5, -9.0, 40.0, 12.0];
        for (i, got) in clamped_swish(pairs).into_iter().enumerate() {
            let (gate, up) = (
                f64::from(pairs[2 * i]).min(7.0),
                f64::from(pairs[2 * i + 1]),
            );
            let expected = gate / (1.0 + (-1.702 * gate).exp()) * (up.clamp(-7.0, 7.0) + 1.0);
            let off = (f64::from(got) - expected).abs();
            assert!(off <= 1e-6 * expected.abs(), "{got}, expected {expected}");
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
}
