//! What adapters add to a matrix (`LoRA`, Hu et al. 2021, arXiv 2106.09685): `W + Σ s·B·A` over adapters, A thin and wide, B tall
//! and thin, s a scale that may change from call to call.

use serde::{Deserialize, Serialize};

use super::{Graph, Matrix, MatrixIx};
use crate::quant::Format;
use crate::{Error, Result};

/// Most adapters that a model has at a time.
pub const MOST_ADAPTERS: usize = 16;
/// Rows of A stand in groups of so many: what shaders read at a time.
pub const RANK_STEP: usize = 4;

/// Which rows of a matrix have an A of their own: those of one tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowGroups {
    /// Tensors behind each other: the first row of each but the first.
    Stacked(Vec<usize>),
    /// Two tensors, row by row.
    Interleaved,
}

impl RowGroups {
    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        match self {
            Self::Stacked(starts) => starts.len() + 1,
            Self::Interleaved => 2,
        }
    }

    /// That of a row.
    #[must_use]
    pub fn of(&self, row: usize) -> usize {
        match self {
            Self::Stacked(starts) => starts.iter().filter(|start| row >= **start).count(),
            Self::Interleaved => row % 2,
        }
    }
}

/// The shape of what `N` adapters add to a matrix (R, K): A (groups, N, r, K), and B (N, R, r).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LowRank {
    /// The matrix.
    pub matrix: MatrixIx,
    /// A, (groups · N · r, K), of no tensor of the file: it is filled by [`Factors`].
    pub down: MatrixIx,
    /// (R, K): its rows and columns.
    pub shape: (usize, usize),
    /// Which rows have an A of their own.
    pub groups: RowGroups,
    /// `N`.
    pub adapters: usize,
    /// `r`, the largest of any adapter, a multiple of [`RANK_STEP`]; what others lack of it is 0.
    pub rank: usize,
}

impl LowRank {
    /// Rows of A: groups · N · r.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.groups.count() * self.adapters * self.rank
    }

    /// Elements of B: N · R · r.
    #[must_use]
    pub const fn up_len(&self) -> usize {
        self.adapters * self.shape.0 * self.rank
    }

    /// Of the rows of A, where an adapter's begin that rows of a group read.
    #[must_use]
    pub const fn first(&self, group: usize, adapter: usize) -> usize {
        (group * self.adapters + adapter) * self.rank
    }
}

/// What one adapter adds to one matrix.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// Which of the adapters it is.
    pub adapter: usize,
    /// Which of the low ranks.
    pub low_rank: usize,
    /// (groups, r, K): A.
    pub down: Vec<f32>,
    /// (R, r): B, rows in the order of memory.
    pub up: Vec<f32>,
}

/// What is yet to be given a matrix for its A.
#[derive(Clone, Debug)]
pub struct Rank {
    /// See [`LowRank::matrix`].
    pub matrix: MatrixIx,
    /// See [`LowRank::groups`].
    pub groups: RowGroups,
    /// See [`LowRank::rank`].
    pub rank: usize,
}

impl Graph {
    /// The same with room for what so many adapters add to its matrices.
    #[must_use]
    pub fn with_adapters(mut self, adapters: usize, ranks: Vec<Rank>) -> Self {
        for Rank {
            matrix,
            groups,
            rank,
        } in ranks
        {
            let of = &self.matrices[matrix];
            let low_rank = LowRank {
                matrix,
                down: self.matrices.len(),
                shape: (of.rows, of.cols),
                groups,
                adapters,
                rank,
            };
            self.matrices.push(Matrix {
                name: format!("adapters of {}", of.name),
                rows: low_rank.width(),
                experts: 1,
                cols: of.cols,
                format: Format::f16(),
                stored: Format::f16(),
                sources: Vec::new(),
            });
            self.low_ranks.push(low_rank);
        }
        self
    }

    /// How many adapters it has room for.
    #[must_use]
    pub fn adapters(&self) -> usize {
        self.low_ranks.first().map_or(0, |it| it.adapters)
    }

    /// What adapters add to a matrix, and its number, if they add anything.
    #[must_use]
    pub fn low_rank(&self, matrix: MatrixIx) -> Option<(usize, &LowRank)> {
        let mut all = self.low_ranks.iter().enumerate();
        all.find(|(_, low_rank)| low_rank.matrix == matrix)
    }

    /// Whether factors are of a low rank's shape.
    ///
    /// # Errors
    /// `internal` if they are not.
    pub fn check_adapter(&self, factors: &Factors) -> Result<&LowRank> {
        let low_rank = self.low_ranks.get(factors.low_rank).filter(|it| {
            let (rows, cols) = it.shape;
            factors.adapter < it.adapters
                && factors.down.len() == it.groups.count() * it.rank * cols
                && factors.up.len() == rows * it.rank
        });
        low_rank.ok_or_else(|| Error::internal("factors of another graph's adapter"))
    }

    /// Whether there is a finite scale for each adapter.
    ///
    /// # Errors
    /// `internal` if there is not.
    pub fn check_scales(&self, scales: &[f32]) -> Result<()> {
        match scales.len() == self.adapters() && scales.iter().all(|scale| scale.is_finite()) {
            true => Ok(()),
            false => Err(Error::internal(format!(
                "{} scales of {} adapters, or one that is no number",
                scales.len(),
                self.adapters()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_of_the_tensor_that_they_came_from() {
        let stacked = RowGroups::Stacked(vec![4, 6]);
        let of: Vec<_> = (0..8).map(|row| stacked.of(row)).collect();
        assert_eq!(of, [0, 0, 0, 0, 1, 1, 2, 2]);
        let of: Vec<_> = (0..4).map(|row| RowGroups::Interleaved.of(row)).collect();
        assert_eq!(of, [0, 1, 0, 1]);
        let low_rank = LowRank {
            matrix: 0,
            down: 1,
            shape: (8, 32),
            groups: stacked,
            adapters: 2,
            rank: 8,
        };
        assert_eq!((low_rank.width(), low_rank.first(1, 1)), (48, 24));
    }
}
