//! Causal attention over the cache: keys and values are converted once for all queries of a tile that share them.

use std::ops::Range;

use super::math;
use crate::cache::{KvLayer, float};
use crate::scatter::Scatter;
use crate::simd::lanes::{LANES, Lanes};

/// Tokens whose queries share the conversion of keys and values.
pub(crate) const TILE: usize = 8;
/// Positions that are taken together.
const STRIP: usize = 4;

/// What a thread needs besides its result; kept from call to call.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// (tile · H / Hkv, S): scores, then weights.
    scores: Vec<f32>,
    /// (4, Dh): keys or values as floats.
    strip: Vec<f32>,
}

impl Scratch {
    /// Room for `queries` rows of a tile and `len` positions: no thread allocates.
    pub(crate) fn resize(&mut self, queries: usize, len: usize, head_dim: usize) {
        // Whole strips, so that the last has a place.
        self.scores
            .resize(queries * len.next_multiple_of(STRIP), 0.0);
        self.strip.resize(STRIP * head_dim, 0.0);
    }
}

/// The shape of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// `H`.
    pub(crate) heads: usize,
    /// `Hkv`.
    pub(crate) kv_heads: usize,
    /// `Dh`.
    pub(crate) head_dim: usize,
    /// Of the call's first token.
    pub(crate) position: usize,
}

impl Shape {
    /// Query heads that share a key head.
    pub(crate) const fn group(&self) -> usize {
        self.heads / self.kv_heads
    }
}

/// `out[t, h] = softmax(q[t, h] · Kᵀ / √Dh) · V` over the positions up to t's own (Vaswani et al. 2017, arXiv
/// 1706.03762; grouped: arXiv 2305.13245), for at most [`TILE`] tokens and the query heads of key head `head`;
/// query and out (T, H, Dh).
#[inline(always)]
pub(crate) fn attention(
    shape: Shape,
    tokens: Range<usize>,
    head: usize,
    query: &[f32],
    kv: &KvLayer,
    scratch: &mut Scratch,
    out: &Scatter<'_, f32>,
) {
    let Shape {
        heads, head_dim, ..
    } = shape;
    let group = shape.group();
    let len = shape.position + tokens.end;
    let padded = len.next_multiple_of(STRIP);
    let Scratch { scores, strip } = scratch;
    // Of row i of the tile: where its query starts, and how many positions it sees.
    let first = tokens.start;
    let at = |i: usize| ((first + i / group) * heads + head * group + i % group) * head_dim;
    let seen = |i: usize| shape.position + first + i / group + 1;
    let rows = tokens.len() * group;
    let scale = 1.0 / (head_dim as f32).sqrt();

    for (n, keys) in kv.keys(head, len).chunks(STRIP * head_dim).enumerate() {
        let s = n * STRIP;
        floats(keys, strip);
        for i in (0..rows).filter(|&i| s < seen(i)) {
            let query = &query[at(i)..at(i) + head_dim];
            let dots = math::dot4(query, strip);
            let to = &mut scores[i * padded + s..i * padded + s + STRIP];
            for (to, dot) in to.iter_mut().zip(dots) {
                *to = dot * scale;
            }
        }
    }
    for i in 0..rows {
        let scores = &mut scores[i * padded..(i + 1) * padded];
        let (visible, hidden) = scores.split_at_mut(seen(i));
        math::softmax(visible);
        hidden.fill(0.0);
        // SAFETY: a tile and a key head are one thread's.
        unsafe { out.slice(at(i)..at(i) + head_dim) }.fill(0.0);
    }
    for (n, values) in kv.values(head, len).chunks(STRIP * head_dim).enumerate() {
        let s = n * STRIP;
        floats(values, strip);
        for i in (0..rows).filter(|&i| s < seen(i)) {
            // SAFETY: as above.
            let out = unsafe { out.slice(at(i)..at(i) + head_dim) };
            let weights = std::array::from_fn(|n| scores[i * padded + s + n]);
            math::add4(&weights, strip, out);
        }
    }
}

/// A strip as floats; zeros where there is no more.
#[inline(always)]
fn floats(bits: &[u16], out: &mut [f32]) {
    let (there, beyond) = out.split_at_mut(bits.len());
    let (there, rest) = there.as_chunks_mut::<LANES>();
    let (bits, rest_bits) = bits.as_chunks::<LANES>();
    for (out, bits) in there.iter_mut().zip(bits) {
        *out = Lanes::from_halves(bits).array();
    }
    for (out, bits) in rest.iter_mut().zip(rest_bits) {
        *out = float(*bits);
    }
    beyond.fill(0.0);
}
