//! Weights of at most 4 bits: two in a byte.

use bytemuck::Zeroable;
use puna_core::quant::BLOCK_LEN;

use super::integers::Integers;
use super::scale::{Scale, Scales};
use super::{GROUP, interleaved};

/// One run of each of eight rows.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug, Zeroable)]
pub struct Nibbles<S, const H: usize, const M: usize> {
    /// Of these weights.
    pub scales: Scales<S, H, M>,
    /// Four bytes for each row, then the next four: `q[g][4·row + i]` holds q[4g + i] and, above it, q[4g + i + 16]
    /// of the row.
    pub q: [[u8; 4 * GROUP]; 4],
}

impl<S: Scale, const H: usize, const M: usize> interleaved::Block for Nibbles<S, H, M> {
    fn put(&mut self, lane: usize, run: &Integers) {
        self.scales.put(lane, run);
        for (g, quants) in self.q.iter_mut().enumerate() {
            for i in 0..4 {
                quants[4 * lane + i] = run.q[4 * g + i] | run.q[4 * g + i + 16] << 4;
            }
        }
    }

    fn quants(&self, lane: usize) -> [i8; BLOCK_LEN] {
        std::array::from_fn(|i| {
            let byte = self.q[i % 16 / 4][4 * lane + i % 4];
            (byte >> (i / 16 * 4) & 15).cast_signed()
        })
    }

    fn scales(&self, lane: usize, offset: f32) -> [(f32, f32); 2] {
        self.scales.row(lane, offset)
    }
}
