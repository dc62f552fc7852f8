// Elements of the KV cache in 8 bits, four a load: 127ths of the largest of their block.
@group(0) @binding(21) var<storage, read> kv: array<u32>; // (2, Hkv, capacity, Dh / 4); then lib/kv_q8.wgsl

// Elements at .. at + 4; at is a multiple of 4.
fn kv_load4(at: u32) -> vec4<f32> {
    return bitcast<f32>(kv[largest_at(at)]) * unpack4x8snorm(kv[at / 4u]);
}
