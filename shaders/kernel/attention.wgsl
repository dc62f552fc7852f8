// out[t, h] = softmax(q[t, h]·Kᵀ / √Dh)·V over positions 0 to position + t
//   query (T, H, Dh) f32, kv as lib/kv_*.wgsl, out (T, H, Dh) f32; H / Hkv query heads share a key head
@group(0) @binding(6) var<storage, read> query: array<vec4<f32>>; // (T, H, Dh)
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // (T, H, Dh)

// Below every score, and finite: WGSL has no infinity.
const LOWEST = -3.0e38;

fn key_head(head: u32) -> u32 {
    return head / (HEADS / KV_HEADS);
}

fn query4(t: u32, head: u32, d4: u32) -> vec4<f32> {
    return query[(t * HEADS + head) * (HEAD_DIM / 4u) + d4] * inverseSqrt(f32(HEAD_DIM));
}

fn store(t: u32, head: u32, d: u32, value: f32) {
    out[(t * HEADS + head) * HEAD_DIM + d] = value;
}
