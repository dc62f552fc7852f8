// Elements of the KV cache in f32.
@group(0) @binding(9) var<storage, read_write> kv: array<vec2<f32>>; // (2, Hkv, capacity, Dh / 2)

// Elements d .. d + 2 of a head of token t; d is even.
fn kv_store2(which: u32, head: u32, t: u32, d: u32, v: vec2<f32>) {
    kv[(kv_at(which, head, first_row_of(t) + position_of(t)) + d) / 2u] = v;
}
