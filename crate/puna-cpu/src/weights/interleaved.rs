//! Rows of blocks, eight side by side: all that formats with kernels of integers have in common.

use std::fmt::Debug;

use bytemuck::Pod;
use puna_core::Result;
use puna_core::quant::BLOCK_LEN;

use super::{GROUP, TILE, Weights};
use crate::activation::Row;
use crate::memory::zeros;
use crate::simd::Simd;

/// One block of each of eight rows.
pub trait Block: Pod + Debug + Send + Sync {
    /// Bytes of one row's block in the file.
    const FILE_BYTES: usize;

    /// Takes row `lane`'s block, [`Self::FILE_BYTES`] long.
    fn put(&mut self, lane: usize, raw: &[u8]);

    /// Row `lane`'s weights.
    fn row(&self, lane: usize, out: &mut [f32; BLOCK_LEN]);

    /// See [`Weights::dot`]; `blocks` (K / 32,).
    fn dot(simd: Simd, blocks: &[Self], x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]);
}

/// A matrix (R, K).
#[derive(Debug)]
pub struct Matrix<B> {
    /// (R / 8, K / 32).
    blocks: Vec<B>,
    /// K / 32.
    per_row: usize,
}

impl<B: Block> Matrix<B> {
    /// All zeros.
    ///
    /// # Errors
    /// `out_of_memory`.
    pub fn new(rows: usize, cols: usize) -> Result<Self> {
        let per_row = cols / BLOCK_LEN;
        Ok(Self {
            blocks: zeros(rows.div_ceil(GROUP) * per_row, "a matrix of weights")?,
            per_row,
        })
    }

    fn group(&self, group: usize) -> &[B] {
        &self.blocks[group * self.per_row..(group + 1) * self.per_row]
    }
}

impl<B: Block> Weights for Matrix<B> {
    fn put_row(&mut self, row: usize, bytes: &[u8]) {
        let group = row / GROUP;
        let blocks = &mut self.blocks[group * self.per_row..(group + 1) * self.per_row];
        for (block, raw) in blocks.iter_mut().zip(bytes.chunks_exact(B::FILE_BYTES)) {
            block.put(row % GROUP, raw);
        }
    }

    fn dot(&self, simd: Simd, group: usize, x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
        B::dot(simd, self.group(group), x, out);
    }

    fn row(&self, row: usize, out: &mut [f32]) {
        let blocks = self.group(row / GROUP).iter();
        for (block, out) in blocks.zip(out.as_chunks_mut::<BLOCK_LEN>().0) {
            block.row(row % GROUP, out);
        }
    }
}
