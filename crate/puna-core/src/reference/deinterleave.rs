//! Twin of `shaders/kernel/deinterleave.wgsl`.

use crate::quant::Format;

/// Groups of rows of `cols` weights that a format stores together, as rows that stand alone.
#[must_use]
pub fn deinterleave(format: &Format, raw: &[u8], cols: usize) -> Vec<u8> {
    format.plain_rows(raw, cols).into_owned()
}
