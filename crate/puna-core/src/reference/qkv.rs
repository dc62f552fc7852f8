//! Twin of `shaders/kernel/qkv.wgsl`.

use super::{Dense, rms_norm};
use crate::config::Rope;
use crate::graph::KvShape;

/// Keys and values of one layer: (2, Hkv, capacity, Dh), keys first.
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

    /// Where the row (Dh,) of a head and position begins; `which` is 0 for keys, 1 for values.
    #[must_use]
    pub const fn at(&self, which: usize, head: usize, position: usize) -> usize {
        ((which * self.shape.heads + head) * self.capacity + position) * self.shape.head_dim
    }

    /// The row (Dh,) of a head and position.
    #[must_use]
    pub fn row(&self, which: usize, head: usize, position: usize) -> &[f32] {
        let at = self.at(which, head, position);
        &self.data[at..at + self.shape.head_dim]
    }
}

/// The norm in front of the projections.
#[derive(Clone, Copy, Debug)]
pub struct Norm<'a> {
    /// (D,).
    pub gain: &'a [f32],
    /// Added to the mean square.
    pub eps: f32,
}

/// `[q | k | v] = W · rmsnorm(x)`, q and k rotated, k and v stored at `position + t`.
///
/// Output rows `first_row ..` of H·Dh + 2·Hkv·Dh are computed: W (R, D), x (T, D), query (T, H·Dh).
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
#[expect(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
pub fn qkv(
    weight: Dense<'_>,
    first_row: usize,
    x: &[f32],
    norm: Norm<'_>,
    rope: &Rope,
    position: usize,
    query: &mut [f32],
    kv: &mut KvLayer,
) {
    let dh = kv.shape.head_dim;
    let q_rows = query.len() / (x.len() / weight.cols);
    let k_rows = kv.shape.heads * dh;
    for (t, x) in x.chunks_exact(weight.cols).enumerate() {
        let y = rms_norm(x, norm.gain, norm.eps);
        let angles = rope.row((position + t) as u32);
        for pair in 0..weight.rows() / 2 {
            let (mut a, mut b) = (weight.dot(2 * pair, &y), weight.dot(2 * pair + 1, &y));
            let row = first_row + 2 * pair;
            if row < q_rows + k_rows
                && let Some([cos, sin]) = angles.get(row % dh / 2)
            {
                let (cos, sin) = (f64::from(*cos), f64::from(*sin));
                (a, b) = (a * cos - b * sin, a * sin + b * cos);
            }
            let out = if row < q_rows {
                &mut query[t * q_rows + row..]
            } else {
                let row = row - q_rows;
                let at = kv.at(row / k_rows, row % k_rows / dh, position + t) + row % dh;
                &mut kv.data[at..]
            };
            out[0] = a as f32;
            out[1] = b as f32;
        }
    }
}
