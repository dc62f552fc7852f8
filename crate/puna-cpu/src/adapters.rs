//! What adapters add to projections, besides their A, which is a matrix like any other.

use puna_core::Result;
use puna_core::graph::{Factors, Graph, LowRank, MatrixIx};

use crate::memory::zeros;

/// B of every low rank, and the scales that are in force.
#[derive(Debug, Default)]
pub(crate) struct Adapters {
    /// By low rank of the graph: (N, R, r).
    ups: Vec<Vec<f32>>,
    /// (N,).
    pub(crate) scales: Vec<f32>,
}

impl Adapters {
    pub(crate) fn new(graph: &Graph) -> Result<Self> {
        let up = |low_rank: &LowRank| zeros(low_rank.up_len(), "an adapter");
        Ok(Self {
            ups: graph.low_ranks.iter().map(up).collect::<Result<_>>()?,
            scales: vec![0.0; graph.adapters()],
        })
    }

    /// Takes B of an adapter, whose size was checked.
    pub(crate) fn put(&mut self, factors: &Factors) {
        let len = factors.up.len();
        let all = self.ups[factors.low_rank].chunks_exact_mut(len.max(1));
        for own in all.skip(factors.adapter).take(1) {
            own.copy_from_slice(&factors.up);
        }
    }

    /// What is added to a matrix now, if anything is.
    pub(crate) fn of<'g>(
        &self,
        graph: &'g Graph,
        matrix: MatrixIx,
    ) -> Option<(usize, &'g LowRank)> {
        if self.scales.iter().all(|scale| *scale == 0.0) {
            return None;
        }
        graph.low_rank(matrix)
    }

    /// What row `j` of A is multiplied by.
    pub(crate) fn scale(&self, low_rank: &LowRank, j: usize) -> f32 {
        self.scales[j / low_rank.rank % low_rank.adapters]
    }

    /// `sums[i] += B[row + i] · low` over all adapters: `low` is a token's (groups · N · r).
    #[inline]
    pub(crate) fn add(
        &self,
        ix: usize,
        low_rank: &LowRank,
        row: usize,
        low: &[f32],
        sums: &mut [f32],
    ) {
        let rank = low_rank.rank;
        let ups = &self.ups[ix];
        let rows = ups.len() / (low_rank.adapters * rank);
        for (i, sum) in sums.iter_mut().enumerate() {
            let row = row + i;
            let group = low_rank.groups.of(row);
            for (adapter, scale) in self.scales.iter().enumerate() {
                if *scale == 0.0 {
                    continue;
                }
                let first = low_rank.first(group, adapter);
                let up = &ups[(adapter * rows + row) * rank..][..rank];
                // Sums of four elements each, side by side.
                let mut parts = [0.0_f32; 4];
                let low = low[first..first + rank].as_chunks::<4>().0;
                for (up, low) in up.as_chunks::<4>().0.iter().zip(low) {
                    for ((part, up), low) in parts.iter_mut().zip(up).zip(low) {
                        *part += up * low;
                    }
                }
                *sum += parts.iter().sum::<f32>();
            }
        }
    }
}
