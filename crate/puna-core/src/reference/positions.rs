//! Twin of `shaders/kernel/positions.wgsl`.

/// `residual[t] += table[position + t] + shift`: table (S, D), if there is one, shift (D,), residual (T, D).
pub fn positions(table: Option<&[f32]>, shift: &[f32], position: usize, residual: &mut [f32]) {
    let width = shift.len();
    for (t, residual) in residual.chunks_exact_mut(width).enumerate() {
        for (d, residual) in residual.iter_mut().enumerate() {
            let row = table.map_or(0.0, |table| table[(position + t) * width + d]);
            *residual += row + shift[d];
        }
    }
}
