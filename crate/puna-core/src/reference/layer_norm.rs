//! Twin of `shaders/kernel/layer_norm.wgsl`.

/// `out[t] = (x[t] - mean) / √(variance + eps) · gain + bias`: x (T, D), gain and bias (D,) → (T, D) (Ba et al. 2016,
/// arXiv 1607.06450).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn layer_norm(x: &[f32], gain: &[f32], bias: &[f32], eps: f32) -> Vec<f32> {
    let mut out = Vec::new();
    for x in x.chunks_exact(gain.len()) {
        let count = x.len() as f64;
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
        let squares = x.iter().map(|&x| (f64::from(x) - mean).powi(2));
        let scale = 1.0 / (squares.sum::<f64>() / count + f64::from(eps)).sqrt();
        out.extend(x.iter().zip(gain).zip(bias).map(|((&x, &gain), &bias)| {
            ((f64::from(x) - mean) * scale * f64::from(gain) + f64::from(bias)) as f32
        }));
    }
    out
}
