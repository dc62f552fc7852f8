//! What is no product with weights: norm, attention, activation, choice of experts.

pub(crate) mod attention;
pub(crate) mod math;
pub(crate) mod route;

use crate::simd::lanes::{LANES, Lanes};

/// `out = x · gain / √(mean(x²) + eps)` of one row, (D,) (Zhang and Sennrich 2019, arXiv
/// 1910.07467).
#[inline(always)]
pub(crate) fn rms_norm(x: &[f32], gain: &[f32], eps: f32, out: &mut [f32]) {
    let square = math::dot(x, x);
    let scale = Lanes::splat(1.0 / (square / gain.len() as f32 + eps).sqrt());
    let rows = x.as_chunks().0.iter().zip(gain.as_chunks().0);
    for (out, (x, gain)) in out.as_chunks_mut::<LANES>().0.iter_mut().zip(rows) {
        *out = (Lanes::from(*x) * Lanes::from(*gain) * scale).array();
    }
    let [scale, ..] = scale.array();
    let rest = x.len() / LANES * LANES..;
    let rows = x[rest.clone()].iter().zip(&gain[rest.clone()]);
    for (out, (x, gain)) in out[rest].iter_mut().zip(rows) {
        *out = x * gain * scale;
    }
}

/// A row, (D,), becomes `(x - mean) / √(variance + eps) · gain + bias` (Ba et al. 2016, arXiv 1607.06450).
#[inline(always)]
pub(crate) fn layer_norm(row: &mut [f32], gain: &[f32], bias: &[f32], eps: f32) {
    let count = row.len() as f32;
    let mean = row.iter().sum::<f32>() / count;
    row.iter_mut().for_each(|x| *x -= mean);
    let scale = 1.0 / (math::dot(row, row) / count + eps).sqrt();
    for ((x, gain), bias) in row.iter_mut().zip(gain).zip(bias) {
        *x = *x * scale * gain + bias;
    }
}
