//! Twin of `shaders/kernel/qk_norm.wgsl`.

use super::Norm;
use super::qkv::{KvLayer, turn};
use crate::places::Places;
use crate::rope::Rope;

/// `q = norm(x_q)`, `k = norm(x_k)`, rotated, k stored where token t goes: x (T, (H + Hkv)·Dh) → query (T, H·Dh). Of each
/// head alone, or of all heads `together` (Henry et al. 2020, arXiv 2010.04245).
#[must_use]
pub fn qk_norm(
    x: &[f32],
    norms: [Norm<'_>; 2],
    together: bool,
    heads: usize,
    rope: Option<&Rope>,
    places: &Places,
    kv: &mut KvLayer,
) -> Vec<f32> {
    let dh = kv.shape.head_dim;
    let rows = [heads * dh, kv.shape.heads * dh];
    let mut query = Vec::new();
    for (t, x) in x.chunks_exact(rows[0] + rows[1]).enumerate() {
        let (q, k) = x.split_at(rows[0]);
        let place = places.of(t);
        let heads_of = |x: &[f32], norm: Norm<'_>| {
            let group = if together { x.len() } else { dh };
            let mut out: Vec<f32> = x.chunks_exact(group).flat_map(|x| norm.of(x)).collect();
            for head in out.chunks_exact_mut(dh) {
                turn(head, rope, place.position);
            }
            out
        };
        query.extend(heads_of(q, norms[0]));
        for (head, k) in heads_of(k, norms[1]).chunks_exact(dh).enumerate() {
            let at = kv.at(0, head, place.row());
            kv.data[at..at + dh].copy_from_slice(k);
        }
    }
    query
}
