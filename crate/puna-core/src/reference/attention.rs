//! Twin of `shaders/kernel/attention.wgsl`.

use super::capped;
use super::qkv::KvLayer;
use crate::graph::{Span, Temperature};
use crate::places::Places;

/// How scores are made, and of which keys.
#[derive(Clone, Copy, Debug)]
pub struct Scores<'a> {
    /// What they are multiplied by.
    pub scale: f32,
    /// What those of late positions are multiplied by besides.
    pub temperature: Temperature,
    /// Which positions a token sees.
    pub span: Span,
    /// What bounds them, if anything does.
    pub cap: Option<f32>,
    /// (H,): those of sinks, if there are any.
    pub sinks: Option<&'a [f32]>,
}

/// `out[t, h] = softmax(cap(scale · temperature · q[t, h] · Kᵀ)) · V` over positions up to that of token t: query (T, H·Dh) → (T, H·Dv)
/// (Vaswani et al. 2017, arXiv 1706.03762; grouped: arXiv 2305.13245; windows: arXiv 2310.06825; bounds: arXiv 2408.00118;
/// sinks: arXiv 2309.17453).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn attention(
    query: &[f32],
    heads: usize,
    scores: Scores<'_>,
    places: &Places,
    kv: &KvLayer,
) -> Vec<f32> {
    let dh = kv.shape.head_dim;
    let group = heads / kv.shape.heads;
    let dv = kv.shape.value_dim;
    let mut out = vec![0.0; query.len() / dh * dv];
    for (ix, (q, out)) in query
        .chunks_exact(dh)
        .zip(out.chunks_exact_mut(dv))
        .enumerate()
    {
        let (t, head) = (ix / heads, ix % heads / group);
        let place = places.of(t);
        let end = places.end(t, query.len() / dh / heads);
        let seen = scores.span.first(place.position)..scores.span.end(place.position, end);
        let scale = f64::from(scores.scale) * f64::from(scores.temperature.at(place.position));
        let score = |s| {
            let pairs = q.iter().zip(kv.row(0, head, place.first_row + s));
            let dot: f64 = pairs.map(|(&q, &k)| f64::from(q) * f64::from(k)).sum();
            capped(dot * scale, scores.cap)
        };
        let values: Vec<(usize, f64)> = seen.map(|s| (s, score(s))).collect();
        let sink = scores.sinks.map(|sinks| f64::from(sinks[ix % heads]));
        let all = || values.iter().map(|it| it.1).chain(sink);
        let max = all().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = all().map(|score| (score - max).exp()).sum();
        for (d, out) in out.iter_mut().enumerate() {
            let weighted = values.iter().map(|&(s, score)| {
                (score - max).exp() * f64::from(kv.row(1, head, place.first_row + s)[d])
            });
            *out = (weighted.sum::<f64>() / total) as f32;
        }
    }
    out
}
