//! Twin of `shaders/kernel/positions.wgsl`.

/// `residual[t] += table[position + t] + shift`: table (S, D), shift (D,), residual (T, D).
pub fn positions(table: &[f32], shift: &[f32], position: usize, residual: &mut [f32]) {
    let width = shift.len();
    let rows = table.chunks_exact(width).skip(position);
    for (residual, row) in residual.chunks_exact_mut(width).zip(rows) {
        for ((residual, row), shift) in residual.iter_mut().zip(row).zip(shift) {
            *residual += row + shift;
        }
    }
}
