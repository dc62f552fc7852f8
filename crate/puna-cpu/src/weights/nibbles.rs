//! Weights of at most 4 bits: two in a byte.

use bytemuck::Zeroable;
use puna_core::quant::BLOCK_LEN;

use super::GROUP;
use super::run::Quants;

/// Four bytes for each row, then the next four: `[g][4·row + i]` holds q[4g + i] and, above it, q[4g + i + 16] of the
/// row.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Zeroable)]
pub struct Nibbles(pub [[u8; 4 * GROUP]; 4]);

impl Quants for Nibbles {
    fn put(&mut self, lane: usize, quants: &[u8; BLOCK_LEN]) {
        for (g, out) in self.0.iter_mut().enumerate() {
            for i in 0..4 {
                out[4 * lane + i] = quants[4 * g + i] | quants[4 * g + i + 16] << 4;
            }
        }
    }

    fn row(&self, lane: usize) -> [i8; BLOCK_LEN] {
        std::array::from_fn(|i| {
            let byte = self.0[i % 16 / 4][4 * lane + i % 4];
            (byte >> (i / 16 * 4) & 15).cast_signed()
        })
    }
}
