//! Causal attention over the cache. A few queries go over keys and values together, so that each is read and converted
//! once for all of them.
//!
//! Numbers of f16 are not corrected as they are read, they come as [`DROP`] times what they are: queries and weights are
//! held as many times larger as keeps the products away from the ends of a float's range, and results are corrected. All
//! of that by powers of two, which round nothing.

use std::ops::Range;

use puna_core::graph::{Span, Temperature};
use puna_core::places::Places;

use super::math;
use crate::cache::KvLayer;
use crate::scatter::Scatter;
use crate::simd::lanes::{DROP, HalfBits, LANES, Lanes};

/// Tokens that a thread takes at a time.
pub(crate) const TILE: usize = 8;
/// Most queries that go over keys and values together: what registers hold.
const QUERIES: usize = 3;
/// Keys that are taken together.
const KEYS: usize = 4;
/// Vectors of a value that are summed together.
const VECTORS: usize = 2;
/// Positions whose values stay near while they are summed.
const STRIP: usize = 64;
/// What queries are held times.
const QUERY_LIFT: f32 = f32::from_bits((127 + 80) << 23);
/// What weights are held times.
const WEIGHT_LIFT: f32 = f32::from_bits((127 + 64) << 23);

/// What a thread needs besides its result; kept from call to call.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// ([`QUERIES`], Dh in whole vectors).
    queries: Vec<f32>,
    /// The same: sums of weighted values.
    sums: Vec<f32>,
    /// ([`QUERIES`], S in whole vectors): scores, then weights.
    scores: Vec<f32>,
}

impl Scratch {
    /// Room for `len` positions: no thread allocates.
    pub(crate) fn resize(&mut self, len: usize, stride: usize) {
        self.queries.resize(QUERIES * stride, 0.0);
        self.sums.resize(QUERIES * stride, 0.0);
        self.scores
            .resize(QUERIES * len.next_multiple_of(KEYS), 0.0);
    }
}

/// The shape of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape<'a> {
    /// `H`.
    pub(crate) heads: usize,
    /// `Hkv`.
    pub(crate) kv_heads: usize,
    /// `Dh`.
    pub(crate) head_dim: usize,
    /// `Dv`, at most `Dh`.
    pub(crate) value_dim: usize,
    /// Where the tokens go.
    pub(crate) places: &'a Places,
    /// `T`.
    pub(crate) tokens: usize,
    /// What scores are multiplied by.
    pub(crate) scale: f32,
    /// What those of late positions are multiplied by besides.
    pub(crate) temperature: Temperature,
    /// Which positions a token sees.
    pub(crate) span: Span,
    /// What bounds scores, if anything does.
    pub(crate) cap: Option<f32>,
    /// (H,): scores of sinks, if there are any.
    pub(crate) sinks: Option<&'a [f32]>,
}

impl Shape<'_> {
    /// Query heads that share a key head.
    pub(crate) const fn group(&self) -> usize {
        self.heads / self.kv_heads
    }
}

/// `out[t, h] = softmax(cap(scale · temperature · q[t, h] · Kᵀ)) · V` over the positions that t sees (Vaswani et al. 2017,
/// arXiv 1706.03762; grouped: arXiv 2305.13245), for at most [`TILE`] tokens of one conversation and the query heads of key
/// head `head`; query (T, H, Dh), out (T, H, Dv).
#[inline(always)]
pub(crate) fn attention(
    shape: Shape<'_>,
    tokens: Range<usize>,
    head: usize,
    query: &[f32],
    kv: &KvLayer,
    scratch: &mut Scratch,
    out: &Scatter<'_, f32>,
) {
    let heads = shape.heads;
    let group = shape.group();
    let rows = tokens.len() * group;
    // Of row i of the tile: which one it is, and which positions it sees.
    let row = |i: usize| {
        let t = tokens.start + i / group;
        let at = t * heads + head * group + i % group;
        let position = shape.places.of(t).position;
        let end = shape.places.end(t, shape.tokens);
        let end = shape.span.end(position, end);
        (at, shape.span.first(position), end)
    };
    let shared = Shared {
        head,
        first_row: shape.places.of(tokens.start).first_row,
        shape,
        query,
        kv,
        out,
    };
    let mut i = 0;
    while i < rows {
        let count = (rows - i).min(if rows - i == 4 { 2 } else { QUERIES });
        match count {
            1 => shared.attend([row(i)], scratch),
            2 => shared.attend([row(i), row(i + 1)], scratch),
            _ => shared.attend([row(i), row(i + 1), row(i + 2)], scratch),
        }
        i += count;
    }
}

/// What the queries of a key head share.
struct Shared<'a> {
    head: usize,
    /// Where the conversation begins in the cache.
    first_row: usize,
    shape: Shape<'a>,
    query: &'a [f32],
    kv: &'a KvLayer,
    out: &'a Scatter<'a, f32>,
}

impl Shared<'_> {
    /// Q queries together: which ones, and which positions it sees, from which on and up to which: none less than the
    /// one before it.
    #[inline(always)]
    fn attend<const Q: usize>(&self, rows: [(usize, usize, usize); Q], scratch: &mut Scratch) {
        let Self {
            head,
            first_row,
            shape:
                Shape {
                    head_dim,
                    value_dim,
                    scale,
                    temperature,
                    cap,
                    heads,
                    sinks,
                    ..
                },
            query,
            kv,
            out,
        } = *self;
        let Scratch {
            queries,
            sums,
            scores,
        } = scratch;
        let stride = kv.stride();
        let (first, end) = (rows[0].1, rows[Q - 1].2);
        let len = end - first;
        let padded = len.next_multiple_of(KEYS);
        for (queries, (at, _, end)) in queries.chunks_exact_mut(stride).zip(rows) {
            let query = &query[at * head_dim..(at + 1) * head_dim];
            let scale = QUERY_LIFT * scale * temperature.at(end - 1);
            for (to, x) in queries.iter_mut().zip(query) {
                *to = x * scale;
            }
        }
        let keys = &kv.keys(head, first_row, end)[first * stride..];
        score::<Q>(queries, keys, stride, padded, scores);
        let mut inverses = [0.0; Q];
        for (i, (at, from, to)) in rows.into_iter().enumerate() {
            let scores = &mut scores[i * padded..(i + 1) * padded];
            let (before, seen) = scores.split_at_mut(from - first);
            let (visible, behind) = seen.split_at_mut(to - from);
            if let Some(cap) = cap {
                math::cap(visible, cap);
            }
            let sink = sinks.map(|sinks| sinks[at % heads]);
            inverses[i] = 1.0 / (math::exponentials(visible, sink, WEIGHT_LIFT) * DROP);
            before.fill(0.0);
            behind.fill(0.0);
        }
        sums.fill(0.0);
        let values = &kv.values(head, first_row, end)[first * stride..];
        add_values::<Q>(scores, padded, values, stride, sums);
        for (i, (at, ..)) in rows.into_iter().enumerate() {
            // SAFETY: a tile and a key head are one thread's.
            let out = unsafe { out.slice(at * value_dim..(at + 1) * value_dim) };
            for (out, sum) in out.iter_mut().zip(&sums[i * stride..]) {
                *out = sum * inverses[i];
            }
        }
    }
}

/// Scores of Q queries and all keys, (S, stride).
#[inline(always)]
fn score<const Q: usize>(
    queries: &[f32],
    keys: &[u16],
    stride: usize,
    padded: usize,
    scores: &mut [f32],
) {
    let half_bits = HalfBits::new();
    let queries: [&[[f32; LANES]]; Q] =
        std::array::from_fn(|q| queries[q * stride..(q + 1) * stride].as_chunks().0);
    let correction = Lanes::splat(1.0 / (QUERY_LIFT * DROP));
    let fours = keys.chunks_exact(KEYS * stride);
    let (rest, done) = (fours.remainder(), fours.len() * KEYS);
    for (n, four) in fours.enumerate() {
        let keys = std::array::from_fn(|k| &four[k * stride..(k + 1) * stride]);
        let dots = dots::<Q, KEYS>(queries, keys, half_bits);
        for (q, dots) in dots.into_iter().enumerate() {
            let at = q * padded + n * KEYS;
            let scores = &mut scores[at..at + KEYS];
            scores.copy_from_slice(&(Lanes::sums(dots) * correction).array());
        }
    }
    for (n, key) in rest.chunks_exact(stride).enumerate() {
        let dots = dots::<Q, 1>(queries, [key], half_bits);
        for (q, [dot]) in dots.into_iter().enumerate() {
            [scores[q * padded + done + n], ..] = (Lanes::splat(dot.sum()) * correction).array();
        }
    }
}

/// Products of Q queries and K keys, four sums of each.
#[inline(always)]
fn dots<const Q: usize, const K: usize>(
    queries: [&[[f32; LANES]]; Q],
    keys: [&[u16]; K],
    half_bits: HalfBits,
) -> [[Lanes; K]; Q] {
    let vectors = queries[0].len();
    let queries = queries.map(|query| &query[..vectors]);
    let keys = keys.map(|key| &key.as_chunks::<LANES>().0[..vectors]);
    let mut sums = [[Lanes::splat(0.0); K]; Q];
    for v in 0..vectors {
        let queries = queries.map(|query| Lanes::from(query[v]));
        for (k, key) in keys.into_iter().enumerate() {
            let key = half_bits.lanes(&key[v]);
            for (sums, query) in sums.iter_mut().zip(queries) {
                sums[k] = key.mul_add(query, sums[k]);
            }
        }
    }
    sums
}

/// Adds values, (S, stride), times weights, (Q, padded), to sums, (Q, stride).
#[inline(always)]
fn add_values<const Q: usize>(
    weights: &[f32],
    padded: usize,
    values: &[u16],
    stride: usize,
    sums: &mut [f32],
) {
    let mut sums: [&mut [[f32; LANES]]; Q] = {
        let mut rows = sums.chunks_exact_mut(stride);
        std::array::from_fn(|_| rows.next().unwrap_or_default().as_chunks_mut().0)
    };
    let vectors = stride / LANES;
    for (n, values) in values.chunks(STRIP * stride).enumerate() {
        let here = values.len() / stride;
        let weights: [&[f32]; Q] = std::array::from_fn(|q| {
            let at = q * padded + n * STRIP;
            &weights[at..at + here]
        });
        let mut v = 0;
        while v + VECTORS <= vectors {
            add_vectors::<Q, VECTORS>(weights, values, stride, v, &mut sums);
            v += VECTORS;
        }
        if v < vectors {
            add_vectors::<Q, 1>(weights, values, stride, v, &mut sums);
        }
    }
}

/// The vectors from the `first` on, of all positions.
#[inline(always)]
fn add_vectors<const Q: usize, const V: usize>(
    weights: [&[f32]; Q],
    values: &[u16],
    stride: usize,
    first: usize,
    sums: &mut [&mut [[f32; LANES]]; Q],
) {
    let half_bits = HalfBits::new();
    let mut totals: [[Lanes; V]; Q] =
        std::array::from_fn(|q| std::array::from_fn(|v| Lanes::from(sums[q][first + v])));
    for (s, value) in values.chunks_exact(stride).enumerate() {
        let value = &value.as_chunks::<LANES>().0[first..first + V];
        let weights = weights.map(|weights| Lanes::splat(weights[s]));
        for (v, value) in value.iter().enumerate() {
            let value = half_bits.lanes(value);
            for (totals, weight) in totals.iter_mut().zip(weights) {
                totals[v] = value.mul_add(weight, totals[v]);
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        for (sum, total) in sums[first..].iter_mut().zip(totals) {
            *sum = total.array();
        }
    }
}
