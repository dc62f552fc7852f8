//! Twin of `shaders/kernel/latent.wgsl`.

use super::Norm;
use super::qkv::{KvLayer, turn};
use crate::places::Places;
use crate::rope::Rope;

/// `[c | k] = x`, `c = norm(c)`, k rotated: stored as the key of token t. The last dimensions of q (T, H, any), as
/// many as k has, are rotated to those of query (T, H, Dh).
#[expect(clippy::too_many_arguments, reason = "they are the kernel's bindings")]
pub fn latent(
    x: &[f32],
    norm: Norm<'_>,
    q: &[f32],
    heads: usize,
    rope: &Rope,
    places: &Places,
    query: &mut [f32],
    kv: &mut KvLayer,
) {
    let (dh, dv) = (kv.shape.head_dim, kv.shape.value_dim);
    let tokens = x.len() / dh;
    let each = q.len() / tokens / heads;
    for (t, x) in x.chunks_exact(dh).enumerate() {
        let (c, k) = x.split_at(dv);
        let mut key = norm.of(c);
        key.extend_from_slice(k);
        let place = places.of(t);
        turn(&mut key[dv..], Some(rope), place.position);
        let at = kv.at(0, 0, place.row());
        kv.data[at..at + dh].copy_from_slice(&key);
        for head in t * heads..(t + 1) * heads {
            let end = (head + 1) * dh;
            let to = &mut query[end - (dh - dv)..end];
            let end = (head + 1) * each;
            to.copy_from_slice(&q[end - (dh - dv)..end]);
            turn(to, Some(rope), place.position);
        }
    }
}
