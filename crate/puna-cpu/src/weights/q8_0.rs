//! Q8_0: `w = d·q`, q a signed byte; 36 bytes a block of 32, the scale as f32.

use bytemuck::{Pod, Zeroable};
use half::f16;
use puna_core::quant::BLOCK_LEN;

use super::{GROUP, TILE, Weights, by_tokens};
use crate::activation::Row;
use crate::simd::Simd;

/// Bytes of a block in the file: d f16, 32 bytes of quants.
const FILE_BYTES: usize = 34;

/// One block of each of eight rows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Block {
    /// By row.
    pub d: [f32; GROUP],
    /// Four quants of each row, then the next four: `q[g][4·row + i]` is q[4g + i] of the row.
    pub q: [[i8; 4 * GROUP]; 8],
}

const _: () = assert!(size_of::<Block>() == 288);

/// A matrix (R, K).
#[derive(Debug)]
pub struct Matrix {
    /// (R / 8, K / 32).
    blocks: Vec<Block>,
    /// K / 32.
    per_row: usize,
}

impl Matrix {
    /// All zeros.
    #[must_use]
    pub fn new(rows: usize, cols: usize) -> Self {
        let per_row = cols / BLOCK_LEN;
        Self {
            blocks: vec![Block::zeroed(); rows.div_ceil(GROUP) * per_row],
            per_row,
        }
    }

    fn group(&self, group: usize) -> &[Block] {
        &self.blocks[group * self.per_row..(group + 1) * self.per_row]
    }
}

impl Weights for Matrix {
    fn put_row(&mut self, row: usize, bytes: &[u8]) {
        let (group, lane) = (row / GROUP, row % GROUP);
        let blocks = &mut self.blocks[group * self.per_row..(group + 1) * self.per_row];
        for (block, raw) in blocks.iter_mut().zip(bytes.as_chunks::<FILE_BYTES>().0) {
            block.d[lane] = f16::from_le_bytes([raw[0], raw[1]]).to_f32();
            for (g, quants) in raw[2..].as_chunks::<4>().0.iter().enumerate() {
                // -128 is no value that quantising gives; kernels need magnitudes of 7 bits.
                let quants = quants.map(|q| q.cast_signed().max(-127));
                block.q[g][4 * lane..4 * lane + 4].copy_from_slice(&quants);
            }
        }
    }

    fn dot(&self, simd: Simd, group: usize, x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
        let blocks = self.group(group);
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2(token) => crate::simd::avx2::q8_0(token, blocks, x, out),
            Simd::Portable => by_tokens!(dot, blocks, x, out),
        }
    }

    fn row(&self, row: usize, out: &mut [f32]) {
        let lane = row % GROUP;
        for (block, out) in self
            .group(row / GROUP)
            .iter()
            .zip(out.as_chunks_mut::<BLOCK_LEN>().0)
        {
            for (i, out) in out.iter_mut().enumerate() {
                *out = block.d[lane] * f32::from(block.q[i / 4][4 * lane + i % 4]);
            }
        }
    }
}

/// Plain loops: the truth that the others are held to, and what runs where there is no SIMD.
fn dot<const T: usize>(blocks: &[Block], x: [Row<'_>; T], out: &mut [[f32; GROUP]; TILE]) {
    for (x, out) in x.iter().zip(out) {
        let mut sums = [0.0f32; GROUP];
        for (b, block) in blocks.iter().enumerate() {
            let mut dots = [[0i32; GROUP]; 2];
            for (g, quants) in block.q.iter().enumerate() {
                for (lane, quants) in quants.as_chunks::<4>().0.iter().enumerate() {
                    for (i, q) in quants.iter().enumerate() {
                        dots[g / 4][lane] += i32::from(*q) * i32::from(x.quants[b][4 * g + i]);
                    }
                }
            }
            for lane in 0..GROUP {
                // At most 16 · 127 · 127: exact.
                let [first, second] = x.scales[b];
                let dot = first * dots[0][lane] as f32 + second * dots[1][lane] as f32;
                sums[lane] += block.d[lane] * dot;
            }
        }
        *out = sums;
    }
}
