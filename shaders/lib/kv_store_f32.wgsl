// Elements of the KV cache in f32.
@group(0) @binding(9) var<storage, read_write> kv: array<vec2<f32>>; // (2, Hkv, capacity, Dh / 2)

// Elements at .. at + 2; at is even.
fn kv_store2(at: u32, v: vec2<f32>) {
    kv[at / 2u] = v;
}
