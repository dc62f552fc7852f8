//! Twin of `shaders/kernel/qkv.wgsl`.

use super::{Dense, Norm, input};
use crate::graph::KvShape;
use crate::places::Places;
use crate::rope::Rope;

/// Keys and values of one layer: (2, Hkv, capacity, Dh), keys first; or keys alone, whose first dimensions are the values.
#[derive(Clone, Debug)]
pub struct KvLayer {
    /// The elements.
    pub data: Vec<f32>,
    /// Tokens that it can hold.
    pub capacity: usize,
    /// `Hkv` and `Dh`.
    pub shape: KvShape,
}

impl KvLayer {
    /// An empty cache.
    #[must_use]
    pub fn new(shape: KvShape, capacity: usize) -> Self {
        Self {
            data: vec![0.0; shape.layer_elements(capacity)],
            capacity,
            shape,
        }
    }

    /// Where a row (Dh,) of a head begins; `which` is 0 for keys, 1 for values.
    #[must_use]
    pub const fn at(&self, which: usize, head: usize, row: usize) -> usize {
        let plane = which * (self.shape.planes() - 1);
        ((plane * self.shape.heads + head) * self.capacity + row) * self.shape.head_dim
    }

    /// A row of a head: a key (Dh,) or a value (Dv,).
    #[must_use]
    pub fn row(&self, which: usize, head: usize, row: usize) -> &[f32] {
        let at = self.at(which, head, row);
        let len = [self.shape.head_dim, self.shape.value_dim][which];
        &self.data[at..at + len]
    }
}

/// What is read.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// Output rows `first_row ..` of H·Dh + 2·Hkv·Dh, (R, D).
    pub weight: Dense<'a>,
    /// Of the output.
    pub first_row: usize,
    /// (T, D).
    pub x: &'a [f32],
    /// Of x.
    pub norm: Option<Norm<'a>>,
    /// (H·Dh + 2·Hkv·Dh,).
    pub bias: Option<&'a [f32]>,
    /// `H`.
    pub heads: usize,
    /// The rotation.
    pub rope: Option<&'a Rope>,
    /// Of the tokens.
    pub places: &'a Places,
    /// Whether queries and keys stay as they are, side by side.
    pub normed_later: bool,
}

/// `[q | k | v] = W · norm(x) + bias`, q and k rotated, k and v stored where token t goes; query (T, H·Dh). Or q and k as
/// they are in query (T, (H + Hkv)·Dh).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn qkv(inputs: &Inputs<'_>, query: &mut [f32], kv: &mut KvLayer) {
    let Inputs { weight, x, .. } = *inputs;
    let dh = kv.shape.head_dim;
    let q_rows = inputs.heads * dh;
    let k_rows = kv.shape.heads * dh;
    let width = q_rows + if inputs.normed_later { k_rows } else { 0 };
    for (t, x) in x.chunks_exact(weight.cols).enumerate() {
        let y = input(x, inputs.norm);
        let place = inputs.places.of(t);
        for pair in 0..weight.rows() / 2 {
            let row = inputs.first_row + 2 * pair;
            let of = |i: usize| {
                let bias = inputs.bias.map_or(0.0, |bias| f64::from(bias[row + i]));
                weight.dot(2 * pair + i, &y) + bias
            };
            let mut out = [of(0), of(1)];
            if row < q_rows + k_rows && !inputs.normed_later {
                out = turned(out, row % dh / 2, inputs.rope, place.position);
            }
            let to = if row < width {
                &mut query[t * width + row..]
            } else {
                let row = row - q_rows;
                let at = kv.at(row / k_rows, row % k_rows / dh, place.row()) + row % dh;
                &mut kv.data[at..]
            };
            to[0] = out[0] as f32;
            to[1] = out[1] as f32;
        }
    }
}

/// A head (Dh,) rotated by its position.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub(super) fn turn(head: &mut [f32], rope: Option<&Rope>, position: usize) {
    for (ix, pair) in head.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        *pair = turned(pair.map(f64::from), ix, rope, position).map(|x| x as f32);
    }
}

/// Pair `ix` of a head rotated by its position.
fn turned([a, b]: [f64; 2], ix: usize, rope: Option<&Rope>, position: usize) -> [f64; 2] {
    let position = u32::try_from(position).unwrap_or(u32::MAX);
    let angles = rope.map_or_else(Vec::new, |rope| rope.row(position));
    match angles.get(ix) {
        Some(turn) => {
            let [cos, sin] = turn.map(f64::from);
            [a * cos - b * sin, a * sin + b * cos]
        }
        None => [a, b],
    }
}
