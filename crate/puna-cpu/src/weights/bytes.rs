//! Weights of 5 to 8 bits: a byte each.

use std::fmt::Debug;

use bytemuck::{Pod, Zeroable};
use puna_core::quant::BLOCK_LEN;

use super::integers::Integers;
use super::scale::{Scale, Scales};
use super::{GROUP, interleaved};

/// One run of each of eight rows, with quants from 0 to 127 (u8) or from -127 to 127 (i8).
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Bytes<Q, S, const H: usize, const M: usize> {
    /// Of these weights.
    pub scales: Scales<S, H, M>,
    /// Four quants of each row, then the next four: `q[g][4·row + i]` is q[4g + i] of the row.
    pub q: [[Q; 4 * GROUP]; 8],
}

// SAFETY: zeros are valid in all of its fields.
unsafe impl<Q: Quant, S: Scale, const H: usize, const M: usize> Zeroable for Bytes<Q, S, H, M> {}

/// A byte of either kind.
pub trait Quant: Pod + Debug + Send + Sync {
    /// From its bits.
    fn new(bits: u8) -> Self;

    /// Its value.
    fn value(self) -> i8;
}

impl Quant for u8 {
    fn new(bits: u8) -> Self {
        bits
    }

    fn value(self) -> i8 {
        self.cast_signed()
    }
}

impl Quant for i8 {
    fn new(bits: u8) -> Self {
        bits.cast_signed()
    }

    fn value(self) -> i8 {
        self
    }
}

impl<Q: Quant, S: Scale, const H: usize, const M: usize> interleaved::Block for Bytes<Q, S, H, M>
where
    Self: crate::simd::Tile,
{
    fn put(&mut self, lane: usize, run: &Integers) {
        self.scales.put(lane, run);
        for (g, quants) in self.q.iter_mut().enumerate() {
            for i in 0..4 {
                quants[4 * lane + i] = Q::new(run.q[4 * g + i]);
            }
        }
    }

    fn quants(&self, lane: usize) -> [i8; BLOCK_LEN] {
        std::array::from_fn(|i| self.q[i / 4][4 * lane + i % 4].value())
    }

    fn scales(&self, lane: usize, offset: f32) -> [(f32, f32); 2] {
        self.scales.row(lane, offset)
    }
}
