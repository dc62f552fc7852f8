//! Rows of runs, eight side by side: all that formats with kernels of integers have in common.

use std::fmt::Debug;
use std::marker::PhantomData;

use bytemuck::Zeroable;
use puna_core::Result;
use puna_core::quant::{BLOCK_LEN, Format};

use super::integers::Integers;
use super::{GROUP, TILE, Weights};
use crate::activation::Row;
use crate::memory::zeros;
use crate::simd::{Simd, Tile};

/// One run of each of eight rows, and its kernels. `w = d·q + m`; where there is no m, it is `offset · d`.
pub trait Block: Tile + Zeroable + Copy + Debug + Send + Sync {
    /// Takes row `lane`'s run.
    fn put(&mut self, lane: usize, run: &Integers);

    /// Row `lane`'s q.
    fn quants(&self, lane: usize) -> [i8; BLOCK_LEN];

    /// d and m of each half of row `lane`.
    fn scales(&self, lane: usize, offset: f32) -> [(f32, f32); 2];
}

/// A format with kernels.
pub trait Kind: Debug + Send + Sync + 'static {
    /// How kernels hold it.
    type Block: Block;
    /// What m is of d, where blocks hold no m.
    const OFFSET: f32 = 0.0;

    /// A run of a block of the file.
    fn integers(block: &[u8], run: usize) -> Integers;
}

/// A matrix (R, K).
#[derive(Debug)]
pub struct Matrix<K: Kind> {
    /// (R / 8, K / 32).
    blocks: Vec<K::Block>,
    /// K / 32.
    per_row: usize,
    format: &'static Format,
    kind: PhantomData<K>,
}

impl<K: Kind> Matrix<K> {
    /// All zeros.
    ///
    /// # Errors
    /// `out_of_memory`.
    pub fn new(format: &'static Format, rows: usize, cols: usize) -> Result<Self> {
        let per_row = cols / BLOCK_LEN;
        Ok(Self {
            blocks: zeros(rows.div_ceil(GROUP) * per_row, "a matrix of weights")?,
            per_row,
            format,
            kind: PhantomData,
        })
    }

    fn group(&self, group: usize) -> &[K::Block] {
        &self.blocks[group * self.per_row..(group + 1) * self.per_row]
    }
}

/// Bytes of a matrix.
#[must_use]
pub const fn bytes<K: Kind>(rows: usize, cols: usize) -> u64 {
    (rows.div_ceil(GROUP) * (cols / BLOCK_LEN)) as u64 * size_of::<K::Block>() as u64
}

impl<K: Kind> Weights for Matrix<K> {
    fn put_row(&mut self, row: usize, bytes: &[u8]) {
        let group = row / GROUP;
        let blocks = &mut self.blocks[group * self.per_row..(group + 1) * self.per_row];
        let runs = self.format.block_len / BLOCK_LEN;
        let raw = bytes.chunks_exact(self.format.block_bytes);
        for (blocks, raw) in blocks.chunks_exact_mut(runs).zip(raw) {
            for (run, block) in blocks.iter_mut().enumerate() {
                block.put(row % GROUP, &K::integers(raw, run));
            }
        }
    }

    fn dot(&self, simd: Simd, group: usize, x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
        simd.dot(self.group(group), K::OFFSET, x, out);
    }

    fn row(&self, row: usize, out: &mut [f32]) {
        let blocks = self.group(row / GROUP).iter();
        for (block, out) in blocks.zip(out.as_chunks_mut::<BLOCK_LEN>().0) {
            let scales = block.scales(row % GROUP, K::OFFSET);
            let quants = block.quants(row % GROUP);
            for (i, (out, q)) in out.iter_mut().zip(quants).enumerate() {
                let (d, m) = scales[i / 16];
                *out = d * f32::from(q) + m;
            }
        }
    }
}
