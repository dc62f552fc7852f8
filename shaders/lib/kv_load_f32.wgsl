// Elements of the KV cache in f32, four a load.
@group(0) @binding(21) var<storage, read> kv: array<vec4<f32>>; // (2, Hkv, capacity, Dh / 4)

// Elements at .. at + 4; at is a multiple of 4.
fn kv_load4(at: u32) -> vec4<f32> {
    return kv[at / 4u];
}
