//! Random inputs: the same on every machine.

use puna_core::quant::Format;

/// PCG (O'Neill 2014), 32 bits of state: small and good enough for test data.
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u32);

impl Random {
    pub(crate) const fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        let word = ((self.0 >> ((self.0 >> 28) + 4)) ^ self.0).wrapping_mul(277_803_737);
        (word >> 22) ^ word
    }

    /// From -1 to 1.
    pub(crate) const fn unit(&mut self) -> f32 {
        (self.word() >> 8) as f32 / 8_388_608.0 - 1.0
    }

    pub(crate) fn floats(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.unit()).collect()
    }

    /// Rows of a matrix (rows, cols) as a file has them.
    pub(crate) fn rows(&mut self, format: &Format, rows: usize, cols: usize) -> Vec<u8> {
        let mut bytes = vec![0; rows * format.row_bytes(cols)];
        for row in bytes.chunks_exact_mut(format.row_bytes(cols)) {
            format.sample_row(&mut || self.word(), row);
        }
        bytes
    }
}
