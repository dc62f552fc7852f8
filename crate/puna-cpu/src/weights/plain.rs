//! Any format of the registry, as the file has it: each run of 32 is decoded and multiplied as floats.

use puna_core::Result;
use puna_core::quant::{BLOCK_LEN, Format};

use super::{GROUP, TILE, Weights};
use crate::activation::Row;
use crate::memory::zeros;
use crate::simd::Simd;

/// A matrix (R, K).
#[derive(Debug)]
pub(crate) struct Matrix {
    format: &'static Format,
    bytes: Vec<u8>,
    row_bytes: usize,
}

impl Matrix {
    /// All zeros.
    pub(crate) fn new(format: &'static Format, rows: usize, cols: usize) -> Result<Self> {
        let row_bytes = format.row_bytes(cols);
        // Unpacks a codebook that weights are looked up in: threads must find it so.
        (format.table)();
        Ok(Self {
            format,
            bytes: zeros(rows * row_bytes, "a matrix of weights")?,
            row_bytes,
        })
    }

    /// The bytes of a row; nothing where the last group has none.
    fn bytes(&self, row: usize) -> &[u8] {
        self.bytes
            .get(row * self.row_bytes..(row + 1) * self.row_bytes)
            .unwrap_or_default()
    }
}

impl Weights for Matrix {
    fn put_row(&mut self, row: usize, bytes: &[u8]) {
        self.bytes[row * self.row_bytes..(row + 1) * self.row_bytes].copy_from_slice(bytes);
    }

    fn put_value(&mut self, row: usize, col: usize, bytes: &[u8]) -> Result<()> {
        let at = row * self.row_bytes + col * bytes.len();
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn dot(&self, _simd: Simd, group: usize, x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
        for lane in 0..GROUP {
            let mut sums = [[0.0f32; 8]; TILE];
            let row = self.bytes(group * GROUP + lane);
            for (b, weights) in self.format.runs(row).enumerate() {
                for (x, sums) in x.iter().zip(&mut sums) {
                    let x = &x.floats[b * BLOCK_LEN..(b + 1) * BLOCK_LEN];
                    // Eight sums at once: lanes of a vector, if the compiler likes.
                    for (w, x) in weights.as_chunks::<8>().0.iter().zip(x.as_chunks::<8>().0) {
                        for i in 0..8 {
                            sums[i] += w[i] * x[i];
                        }
                    }
                }
            }
            for (out, sums) in out.iter_mut().zip(&sums[..x.len()]) {
                out[lane] = sums.iter().sum();
            }
        }
    }

    fn row(&self, row: usize, out: &mut [f32]) {
        let weights = self.format.runs(self.bytes(row)).flatten();
        for (out, weight) in out.iter_mut().zip(weights) {
            *out = weight;
        }
    }
}
