//! Twin of `shaders/kernel/embed.wgsl`.

use super::Dense;

/// `out[t] = scale · table[ids[t]]`: table (V, D), ids (T,) → (T, D).
#[must_use]
pub fn embed(table: Dense<'_>, ids: &[u32], scale: f32) -> Vec<f32> {
    ids.iter()
        .flat_map(|&id| table.row(id as usize))
        .map(|weight| weight * scale)
        .collect()
}
