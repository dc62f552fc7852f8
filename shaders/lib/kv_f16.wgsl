// The KV cache of a layer in f16, two elements a word: (2, Hkv, capacity, Dh), keys first.
@group(0) @binding(9) var<storage, read_write> kv: array<u32>;

// Element of `which` (0 keys, 1 values), head, position, dimension 0.
fn kv_at(which: u32, head: u32, position: u32) -> u32 {
    return ((which * KV_HEADS + head) * step.capacity + position) * HEAD_DIM;
}

// Elements at .. at + 2; at is even.
fn kv_store2(at: u32, v: vec2<f32>) {
    kv[at / 2u] = pack2x16float(v);
}

// Elements at .. at + 4; at is a multiple of 4.
fn kv_load4(at: u32) -> vec4<f32> {
    return vec4<f32>(unpack2x16float(kv[at / 2u]), unpack2x16float(kv[at / 2u + 1u]));
}

fn kv_load(at: u32) -> f32 {
    return unpack2x16float(kv[at / 2u])[at % 2u];
}
