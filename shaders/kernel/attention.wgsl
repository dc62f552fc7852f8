// out[t, h] = softmax(q[t, h]·Kᵀ / √Dh)·V over positions 0 to position + t
//   query (T, H, Dh) f32, kv as lib/kv.wgsl, out (T, H, Dh) f32; H / Hkv query heads share a key head
@group(0) @binding(6) var<storage, read> query: array<vec4<f32>>; // (T, H, Dh)
@group(0) @binding(7) var<storage, read_write> out: array<vec4<f32>>; // (T, H, Dh)

// Below every score, and finite: WGSL has no infinity.
const LOWEST = -3.0e38;
// Vec4s of a head.
const DIMS4 = HEAD_DIM / 4u;
// Query heads that share a key head.
const SHARING = HEADS / KV_HEADS;

fn query4(t: u32, head: u32, d4: u32) -> vec4<f32> {
    return query[(t * HEADS + head) * DIMS4 + d4] * inverseSqrt(f32(HEAD_DIM));
}

// How many keys token t sees.
fn keys_of(t: u32) -> u32 {
    return step.position + t + 1u;
}

fn store4(t: u32, head: u32, d4: u32, value: vec4<f32>) {
    out[(t * HEADS + head) * DIMS4 + d4] = value;
}
