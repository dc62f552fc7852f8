// out[t, h] = softmax(cap(scale·temperature·q[t, h]·Kᵀ))·V over positions up to position + t: the last `window` of them,
// and none before the last multiple of `chunk`; and over a sink of no value if there is one
//   query (T, H, Dh) f32, kv as lib/kv.wgsl, out (T, H, Dv) f32; H / Hkv query heads share a key head
@group(0) @binding(6) var<storage, read> query: array<vec4<f32>>; // (T, H, Dh)
@group(0) @binding(7) var<storage, read_write> out: array<vec4<f32>>; // (T, H, Dv)

// Below every score, and finite: WGSL has no infinity.
const LOWEST = -3.0e38;
// Vec4s of a head's query and key, and of its value.
const DIMS4 = HEAD_DIM / 4u;
const VALUES4 = VALUE_DIM / 4u;
// Query heads that share a key head.
const SHARING = HEADS / KV_HEADS;

fn query4(t: u32, head: u32, d4: u32) -> vec4<f32> {
    return query[(t * HEADS + head) * DIMS4 + d4] * params.scale * temperature_of(t);
}

// Where the keys end that token t sees.
fn end_of(t: u32) -> u32 {
    return position_of(t) + select(1u, step.tokens - t, SEES_ALL == 1u && step.together == 0u);
}

// Where they begin.
fn start_of(t: u32) -> u32 {
    let end = end_of(t);
    return max(end - min(end, params.window), (end - 1u) / params.chunk * params.chunk);
}

// How many they are.
fn keys_of(t: u32) -> u32 {
    return end_of(t) - start_of(t);
}

// What its scores are multiplied by, so that many keys do not flatten them.
fn temperature_of(t: u32) -> f32 {
    if (HEATED == 0u) {
        return 1.0;
    }
    return 1.0 + params.heat * log(1.0 + f32(end_of(t) / params.every));
}

fn store4(t: u32, head: u32, d4: u32, value: vec4<f32>) {
    out[(t * HEADS + head) * VALUES4 + d4] = value;
}
