//! What is no product with weights: norm, attention, activation. Loops over eight lanes, which compilers turn
//! into vectors.

pub(crate) mod attention;
pub(crate) mod math;

/// `x · gain / √(mean(x²) + eps)`, (T, D), row by row (Zhang and Sennrich 2019, arXiv 1910.07467).
pub(crate) fn rms_norm(x: &[f32], gain: &[f32], eps: f32, out: &mut Vec<f32>) {
    out.clear();
    for x in x.chunks_exact(gain.len()) {
        let square = math::dot(x, x);
        let scale = 1.0 / (square / gain.len() as f32 + eps).sqrt();
        out.extend(x.iter().zip(gain).map(|(x, gain)| x * gain * scale));
    }
}
