//! Which rows of a tensor go where.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Rows of one tensor inside a matrix, or elements of one inside a vector: row `from + i` of the tensor lands on
/// [`Self::landing`]`(i)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Index into `Header::tensors`.
    pub tensor: usize,
    /// First of the tensor's rows.
    pub from: usize,
    /// How many of them.
    pub rows: usize,
    /// Where the first of them goes.
    pub first_row: usize,
    /// 2 where two sources are interleaved row by row, else 1.
    pub row_step: usize,
    /// Where rotation pairs do not lie side by side in the file.
    pub halves: Option<Halves>,
    /// Where the tensor has the matrix's columns as rows; then all of the source's rows are of all of the tensor.
    pub transposed: Option<Transposed>,
}

/// A tensor of floats that has, for each expert or head, columns of a matrix as rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transposed {
    /// Rows of the tensor for each expert or head.
    pub group_rows: usize,
    /// Of which so many, the first, are columns of the matrix: all of them.
    pub cols: usize,
    /// Elements of one.
    pub width: usize,
    /// Of which this is the first row of the expert's or head's in the matrix.
    pub first: usize,
    /// And so many are.
    pub rows: usize,
}

impl Transposed {
    /// Where elements of a row of the tensor go: row of the matrix, column of it, which element.
    pub fn landings(
        self,
        source: &Source,
        tensor_row: usize,
    ) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let (group, col) = (tensor_row / self.group_rows, tensor_row % self.group_rows);
        let (first_row, step) = (source.first_row, source.row_step);
        let rows = if col < self.cols { self.rows } else { 0 };
        (0..rows).map(move |r| {
            let row = first_row + (group * self.rows + r) * step;
            (row, col, self.first + r)
        })
    }
}

/// Rows in heads, of each of which the first `rotated` rows are rotated: the first of each pair in one half of them, the
/// second in the other (as GPT-NeoX has it). They are brought side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halves {
    /// `Dh`.
    pub head_dim: usize,
    /// Even, at most `Dh`.
    pub rotated: usize,
}

impl Halves {
    /// Where row `i` goes.
    #[must_use]
    pub const fn landing(self, i: usize) -> usize {
        let d = i % self.head_dim;
        if d >= self.rotated {
            return i;
        }
        let half = self.rotated / 2;
        i - d + d % half * 2 + d / half
    }
}

impl Source {
    /// All `rows` rows of a tensor, as they are.
    #[must_use]
    pub const fn whole(tensor: usize, rows: usize) -> Self {
        Self {
            tensor,
            from: 0,
            rows,
            first_row: 0,
            row_step: 1,
            halves: None,
            transposed: None,
        }
    }

    /// Where row `from + i` of the tensor goes.
    #[must_use]
    pub const fn landing(&self, i: usize) -> usize {
        let i = match self.halves {
            Some(halves) => halves.landing(i),
            None => i,
        };
        self.first_row + i * self.row_step
    }

    /// Of rows `range` of the tensor, those that are of this source.
    #[must_use]
    pub fn among(&self, range: Range<usize>) -> Range<usize> {
        let end = range.end.min(self.from + self.rows);
        range.start.clamp(self.from, end.max(self.from))..end.max(self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_brought_side_by_side_head_by_head() {
        let halves = Halves {
            head_dim: 6,
            rotated: 4,
        };
        let landings: Vec<_> = (0..12).map(|i| halves.landing(i)).collect();
        assert_eq!(landings, [0, 2, 1, 3, 4, 5, 6, 8, 7, 9, 10, 11]);
    }

    #[test]
    fn a_source_takes_its_own_rows_of_a_piece() {
        let source = Source {
            from: 4,
            row_step: 2,
            first_row: 1,
            ..Source::whole(0, 3)
        };
        assert_eq!(source.landing(2), 5, "every other row");
        for (range, own) in [(0..3, 4..4), (0..5, 4..5), (5..9, 5..7), (8..9, 7..7)] {
            let got = source.among(range.clone());
            assert!(
                got == own || (got.is_empty() && own.is_empty()),
                "{range:?}: {got:?}, expected {own:?}"
            );
        }
    }
}
