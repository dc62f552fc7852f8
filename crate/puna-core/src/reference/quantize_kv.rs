//! Twin of `shaders/kernel/quantize_kv.wgsl`.

use super::qkv::KvLayer;
use crate::places::Places;

/// Keys and values of a step's tokens, (T, planes, Hkv, Dh), rounded to 127ths of the largest of each `block` of them, and
/// stored where token t goes.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the twin rounds to f32 where a kernel stores"
)]
pub fn quantize_kv(fresh: &[f32], block: usize, places: &Places, kv: &mut KvLayer) {
    let (planes, heads, dh) = (kv.shape.planes(), kv.shape.heads, kv.shape.head_dim);
    for (ix, row) in fresh.chunks_exact(dh).enumerate() {
        let (t, which, head) = (ix / heads / planes, ix / heads % planes, ix % heads);
        let at = kv.at(which, head, places.of(t).row());
        let to = kv.data[at..at + dh].chunks_exact_mut(block);
        for (block, to) in row.chunks_exact(block).zip(to) {
            let largest = block
                .iter()
                .fold(0.0_f64, |most, x| most.max(f64::from(x.abs())));
            for (x, to) in block.iter().zip(to) {
                let steps = match largest > 0.0 {
                    true => (f64::from(*x) / largest * 127.0 + 0.5).floor(),
                    false => 0.0,
                };
                *to = (largest * steps / 127.0) as f32;
            }
        }
    }
}
