//! Where the bytes of a file's tensors go: what every executor asks when a chunk arrives.

use std::ops::Range;

use super::{Graph, Matrix, MatrixIx, RopeIx, Source, VectorIx};
use crate::{Error, Result};

/// One use of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Its rows are those of a source of a matrix.
    Rows {
        /// The matrix.
        matrix: MatrixIx,
        /// Index into [`Matrix::sources`].
        source: usize,
    },
    /// Its elements are those of a source of a vector.
    Vector {
        /// The vector.
        vector: VectorIx,
        /// Index into [`super::Vector::sources`].
        source: usize,
    },
    /// It is the factors of a rotation.
    Factors(RopeIx),
}

impl Graph {
    /// By tensor of the file's table, which has `n_tensors`: its uses, several where a tensor has several.
    #[must_use]
    pub fn targets(&self, n_tensors: usize) -> Vec<Vec<Target>> {
        let mut targets = vec![Vec::new(); n_tensors];
        for (matrix, table) in self.matrices.iter().enumerate() {
            for (source, rows) in table.sources.iter().enumerate() {
                targets[rows.tensor].push(Target::Rows { matrix, source });
            }
        }
        for (vector, table) in self.vectors.iter().enumerate() {
            for (source, elements) in table.sources.iter().enumerate() {
                targets[elements.tensor].push(Target::Vector { vector, source });
            }
        }
        for (ix, rope) in self.ropes.iter().enumerate() {
            if let Some(tensor) = rope.factors.as_ref().and_then(|it| it.tensor) {
                targets[tensor].push(Target::Factors(ix));
            }
        }
        targets
    }
}

impl Matrix {
    /// The rows of the tensor of one of its sources that stand in `bytes` bytes from byte `offset` of it.
    ///
    /// # Errors
    /// `internal` when they are not whole.
    pub fn rows_at(&self, source: &Source, offset: u64, bytes: u64) -> Result<Range<usize>> {
        let cols = source.transposed.map_or(self.cols, |it| it.width);
        let row_bytes = self.stored.row_bytes(cols) as u64;
        let together = row_bytes.saturating_mul(self.stored.rows_together() as u64);
        if !offset.is_multiple_of(together) || !bytes.is_multiple_of(together) {
            return Err(Error::internal(format!(
                "a chunk cuts {} inside rows that are stored together in {together} bytes",
                self.name
            )));
        }
        let row = |at: u64| usize::try_from(at / row_bytes).unwrap_or(usize::MAX);
        Ok(row(offset)..row(offset.saturating_add(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::FORMATS;

    #[test]
    fn whole_rows_are_counted_and_cut_ones_refused() {
        let format = FORMATS[0];
        let matrix = Matrix {
            name: "m".to_owned(),
            rows: 9,
            experts: 1,
            cols: 64,
            format,
            stored: format,
            sources: Vec::new(),
        };
        let row = format.row_bytes(64) as u64;
        assert_eq!(
            matrix
                .rows_at(&Source::whole(0, 9), 2 * row, 3 * row)
                .expect("whole"),
            2..5,
            "three rows"
        );
        for (offset, bytes) in [(4, row), (row, row + 4)] {
            let error = matrix
                .rows_at(&Source::whole(0, 9), offset, bytes)
                .expect_err("a cut row");
            assert!(error.message().contains("cuts m"), "{error}");
        }
    }
}
