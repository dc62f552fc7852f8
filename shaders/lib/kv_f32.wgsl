// The KV cache of a layer in f32: (2, Hkv, capacity, Dh), keys first.
@group(0) @binding(9) var<storage, read_write> kv: array<f32>;

// Element of `which` (0 keys, 1 values), head, position, dimension 0.
fn kv_at(which: u32, head: u32, position: u32) -> u32 {
    return ((which * KV_HEADS + head) * step.capacity + position) * HEAD_DIM;
}

// Elements at .. at + 2.
fn kv_store2(at: u32, v: vec2<f32>) {
    kv[at] = v.x;
    kv[at + 1u] = v.y;
}

// Elements at .. at + 4.
fn kv_load4(at: u32) -> vec4<f32> {
    return vec4<f32>(kv[at], kv[at + 1u], kv[at + 2u], kv[at + 3u]);
}

fn kv_load(at: u32) -> f32 {
    return kv[at];
}
