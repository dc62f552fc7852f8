// Elements of the KV cache in f16, four a load.
@group(0) @binding(21) var<storage, read> kv: array<vec2<u32>>; // (2, Hkv, capacity, Dh / 4)

// Elements at .. at + 4; at is a multiple of 4.
fn kv_load4(at: u32) -> vec4<f32> {
    let words = kv[at / 4u];
    return vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y));
}
