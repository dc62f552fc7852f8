//! Twin of `shaders/kernel/quantize.wgsl`.

use crate::quant::Format;

/// Floats as blocks of a format.
#[must_use]
pub fn quantize(format: &Format, weights: &[f32]) -> Vec<u8> {
    format.quantize_row(weights)
}
