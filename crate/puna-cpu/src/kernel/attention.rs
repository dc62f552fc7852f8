//! Causal attention over the cache: a key and a value are converted once for all queries that share them.

use super::math;
use crate::cache::{KvLayer, float};

/// What a call needs besides its result; kept from call to call.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// (H / Hkv, S).
    scores: Vec<f32>,
    /// (Dh,): a key or value as floats.
    row: Vec<f32>,
}

/// `out[h] = softmax(q[h] · Kᵀ / √Dh) · V` over the first `len` positions, for one token: query and out (H, Dh)
/// (Vaswani et al. 2017, arXiv 1706.03762; grouped: arXiv 2305.13245).
pub(crate) fn attention(
    query: &[f32],
    kv: &KvLayer,
    kv_heads: usize,
    head_dim: usize,
    len: usize,
    scratch: &mut Scratch,
    out: &mut [f32],
) {
    let group = query.len() / head_dim / kv_heads;
    let scale = 1.0 / (head_dim as f32).sqrt();
    let Scratch { scores, row } = scratch;
    scores.resize(group * len, 0.0);
    row.resize(head_dim, 0.0);
    let heads = query
        .chunks_exact(group * head_dim)
        .zip(out.chunks_exact_mut(group * head_dim));
    for (head, (queries, outs)) in heads.enumerate() {
        for (s, key) in kv.keys(head, len).chunks_exact(head_dim).enumerate() {
            floats(key, row);
            for (h, query) in queries.chunks_exact(head_dim).enumerate() {
                scores[h * len + s] = math::dot(query, row) * scale;
            }
        }
        for scores in scores.chunks_exact_mut(len) {
            softmax(scores);
        }
        outs.fill(0.0);
        for (s, value) in kv.values(head, len).chunks_exact(head_dim).enumerate() {
            floats(value, row);
            for (h, out) in outs.chunks_exact_mut(head_dim).enumerate() {
                let weight = scores[h * len + s];
                for (out, value) in out.iter_mut().zip(&*row) {
                    *out += weight * value;
                }
            }
        }
    }
}

fn floats(bits: &[u16], out: &mut [f32]) {
    for (out, bits) in out.iter_mut().zip(bits) {
        *out = float(*bits);
    }
}

fn softmax(scores: &mut [f32]) {
    let highest = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut total = 0.0;
    for score in scores.iter_mut() {
        *score = math::exp(*score - highest);
        total += *score;
    }
    let inverse = 1.0 / total;
    scores.iter_mut().for_each(|score| *score *= inverse);
}
