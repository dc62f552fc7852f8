//! Plain loops: the truth that the others are held to, and what runs where there is no SIMD.

use super::LIFT;
use crate::activation::{Block as Rounded, Row};
use crate::weights::interleaved::Block;
use crate::weights::{GROUP, TILE};

/// What runs and their quants need for the kernels of a target that has no others: nothing.
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub trait Anything {}
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
impl<T> Anything for T {}

/// See [`crate::weights::Weights::dot`].
pub(super) fn dot<B: Block>(
    blocks: &[B],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    for (x, out) in x.iter().zip(out) {
        *out = std::array::from_fn(|lane| {
            let all = blocks.iter().zip(x.blocks);
            let rests = x.rests.iter().map(|rest| (&blocks[rest.at], &rest.block));
            all.chain(rests)
                .map(|(block, x)| one(block, offset, lane, x))
                .sum::<f32>()
                / LIFT
        });
    }
}

/// Of a run of one row.
fn one<B: Block>(block: &B, offset: f32, lane: usize, x: &Rounded) -> f32 {
    let quants = block.quants(lane);
    let halves = quants.chunks_exact(16).zip(x.quants.chunks_exact(16));
    let mut sum = 0.0;
    for ((d, m), ((quants, q), x_sum)) in block
        .scales(lane, offset)
        .into_iter()
        .zip(halves.zip(x.sums))
    {
        let products = quants.iter().zip(q);
        let dot: i32 = products.map(|(w, x)| i32::from(*w) * i32::from(*x)).sum();
        // At most 16 · 127 · 127: exact.
        sum += d * x.scale * dot as f32 + m * x_sum;
    }
    sum
}
