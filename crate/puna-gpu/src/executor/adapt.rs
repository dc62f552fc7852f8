//! Adapters: what they add lies beside the weights, and comes in where a projection's program says so.

use half::f16;
use puna_core::Result;
use puna_core::graph::Factors;

use super::Executor;
use crate::kernel::low_rank;

impl Executor {
    /// Takes what an adapter adds to a matrix.
    ///
    /// # Errors
    /// `internal` for one of another graph; what the device reports.
    pub fn put_adapter(&mut self, factors: &Factors) -> Result<()> {
        let low_rank = self.graph.check_adapter(factors)?;
        let matrix = &self.graph.matrices[low_rank.down];
        let queue = &self.gpu.queue;
        let halves = |floats: &[f32]| -> Vec<u8> {
            let bits = floats.iter().map(|x| f16::from_f32(*x).to_bits());
            bits.flat_map(u16::to_le_bytes).collect()
        };
        let stride = matrix.format.planes_row_bytes(matrix.cols);
        for (i, row) in factors.down.chunks_exact(matrix.cols).enumerate() {
            let (group, i) = (i / low_rank.rank, i % low_rank.rank);
            let row_ix = low_rank.first(group, factors.adapter) + i;
            let parts = self.memory.matrices[low_rank.down].iter();
            let mut own =
                parts.filter(|part| (part.first_row..part.first_row + part.rows).contains(&row_ix));
            if let Some(part) = own.next() {
                let mut bytes = halves(row);
                bytes.resize(stride, 0);
                let at = ((row_ix - part.first_row) * stride) as u64;
                queue.write_buffer(&part.buffer, at, &bytes);
            }
        }
        let up = halves(&factors.up);
        let at = low_rank::up_offset(low_rank, self.options.max_tokens);
        let at = at + (factors.adapter * up.len()) as u64;
        queue.write_buffer(&self.memory.low_ranks[factors.low_rank], at, &up);
        self.gpu.check()
    }

    /// What each adapter is multiplied by in the calls that come: all by 0 at first. Steps that were submitted ahead of
    /// their question are as they were.
    ///
    /// # Errors
    /// `internal` for scales of other adapters.
    pub fn adapt(&mut self, scales: &[f32]) -> Result<()> {
        self.graph.check_scales(scales)?;
        self.adapted = scales.iter().any(|scale| *scale != 0.0);
        let queue = &self.gpu.queue;
        queue.write_buffer(&self.memory.scales, 0, bytemuck::cast_slice(scales));
        Ok(())
    }
}
