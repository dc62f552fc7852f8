//! Twin of `shaders/kernel/positions.wgsl`.

use crate::places::Places;

/// `residual[t] += table[position of t] + shift`: table (S, D), if there is one, shift (D,), residual (T, D).
pub fn positions(table: Option<&[f32]>, shift: &[f32], places: &Places, residual: &mut [f32]) {
    let width = shift.len();
    for (t, residual) in residual.chunks_exact_mut(width).enumerate() {
        for (d, residual) in residual.iter_mut().enumerate() {
            let row = table.map_or(0.0, |table| table[places.of(t).position * width + d]);
            *residual += row + shift[d];
        }
    }
}
