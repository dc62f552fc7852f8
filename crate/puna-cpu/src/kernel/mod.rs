//! What is no product with weights: norm, attention, activation. Loops over eight lanes, which compilers turn
//! into vectors.

pub(crate) mod attention;
pub(crate) mod math;

/// `x · gain / √(mean(x²) + eps)` of one row, (D,) (Zhang and Sennrich 2019, arXiv 1910.07467).
#[inline(always)]
pub(crate) fn rms_norm<'a>(
    x: &'a [f32],
    gain: &'a [f32],
    eps: f32,
) -> impl Iterator<Item = f32> + 'a {
    let square = math::dot(x, x);
    let scale = 1.0 / (square / gain.len() as f32 + eps).sqrt();
    x.iter().zip(gain).map(move |(x, gain)| x * gain * scale)
}
