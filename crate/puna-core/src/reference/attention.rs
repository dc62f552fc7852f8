//! Twin of `shaders/kernel/attention.wgsl`.

use super::qkv::KvLayer;

/// `out[t, h] = softmax(q[t, h] · Kᵀ / √Dh) · V` over positions 0 to `position + t`: query (T, H·Dh) → same
/// (Vaswani et al. 2017, arXiv 1706.03762; grouped: arXiv 2305.13245).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn attention(query: &[f32], heads: usize, position: usize, kv: &KvLayer) -> Vec<f32> {
    let dh = kv.shape.head_dim;
    let group = heads / kv.shape.heads;
    let mut out = vec![0.0; query.len()];
    for (ix, (q, out)) in query
        .chunks_exact(dh)
        .zip(out.chunks_exact_mut(dh))
        .enumerate()
    {
        let (t, head) = (ix / heads, ix % heads / group);
        let scores: Vec<f64> = (0..=position + t)
            .map(|s| {
                let dot: f64 = q
                    .iter()
                    .zip(kv.row(0, head, s))
                    .map(|(&q, &k)| f64::from(q) * f64::from(k))
                    .sum();
                dot / (dh as f64).sqrt()
            })
            .collect();
        let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = scores.iter().map(|score| (score - max).exp()).sum();
        for (d, out) in out.iter_mut().enumerate() {
            let sum: f64 = scores
                .iter()
                .enumerate()
                .map(|(s, score)| (score - max).exp() * f64::from(kv.row(1, head, s)[d]))
                .sum();
            *out = (sum / total) as f32;
        }
    }
    out
}
