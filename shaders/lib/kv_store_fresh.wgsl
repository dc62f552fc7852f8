// Elements of the keys and values of a step's tokens, kept as they are until all of a block are there: then
// kernel/quantize_kv.wgsl puts them into the KV cache.
@group(0) @binding(9) var<storage, read_write> kv: array<vec2<f32>>; // (T, 2, Hkv, Dh / 2)

// Elements d .. d + 2 of a head of token t; d is even.
fn kv_store2(which: u32, head: u32, t: u32, d: u32, v: vec2<f32>) {
    let row = (t * (1u + VALUES_APART) + which) * KV_HEADS + head;
    kv[(row * HEAD_DIM + d) / 2u] = v;
}
