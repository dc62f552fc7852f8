//! Twin of `shaders/kernel/embed.wgsl`.

use super::Dense;

/// `out[t] = table[ids[t]]`: table (V, D), ids (T,) → (T, D).
#[must_use]
pub fn embed(table: Dense<'_>, ids: &[u32]) -> Vec<f32> {
    ids.iter()
        .flat_map(|&id| table.row(id as usize))
        .copied()
        .collect()
}
