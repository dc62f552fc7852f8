//! Weights of 5 to 8 bits: a byte each.

use bytemuck::Zeroable;
use puna_core::quant::BLOCK_LEN;

use super::GROUP;
use super::run::Quants;

/// Four of each row, then the next four: `[g][4·row + i]` is q[4g + i] of the row. From 0 to 127.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Zeroable)]
pub struct Bytes(pub [[u8; 4 * GROUP]; 8]);

/// The same, from -127 to 127.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Zeroable)]
pub struct SignedBytes(pub [[u8; 4 * GROUP]; 8]);

impl Quants for Bytes {
    fn put(&mut self, lane: usize, quants: &[u8; BLOCK_LEN]) {
        put(&mut self.0, lane, quants);
    }

    fn row(&self, lane: usize) -> [i8; BLOCK_LEN] {
        row(&self.0, lane)
    }
}

impl Quants for SignedBytes {
    fn put(&mut self, lane: usize, quants: &[u8; BLOCK_LEN]) {
        put(&mut self.0, lane, quants);
    }

    fn row(&self, lane: usize) -> [i8; BLOCK_LEN] {
        row(&self.0, lane)
    }
}

fn put(bytes: &mut [[u8; 4 * GROUP]; 8], lane: usize, quants: &[u8; BLOCK_LEN]) {
    for (out, four) in bytes.iter_mut().zip(quants.as_chunks::<4>().0) {
        out.as_chunks_mut::<4>().0[lane] = *four;
    }
}

fn row(bytes: &[[u8; 4 * GROUP]; 8], lane: usize) -> [i8; BLOCK_LEN] {
    std::array::from_fn(|i| bytes[i / 4][4 * lane + i % 4].cast_signed())
}
