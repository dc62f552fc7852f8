//! Twin of `shaders/kernel/transpose.wgsl`.

use crate::graph::{Source, Transposed};

/// Rows of a tensor from `from` on, of `values` each of so many bytes, go to their places in a matrix of rows of
/// `row_bytes`.
pub fn transpose(
    values: &[u8],
    value_bytes: usize,
    from: usize,
    source: &Source,
    transposed: Transposed,
    row_bytes: usize,
    out: &mut [u8],
) {
    let rows = values.chunks_exact(transposed.width * value_bytes);
    for (tensor_row, row) in (from..).zip(rows) {
        for (to, col, value) in transposed.landings(source, tensor_row) {
            let value = &row[value * value_bytes..(value + 1) * value_bytes];
            let at = to * row_bytes + col * value_bytes;
            out[at..at + value_bytes].copy_from_slice(value);
        }
    }
}
