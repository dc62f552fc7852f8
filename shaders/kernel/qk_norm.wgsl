// query[t] = rotated(norm(x[t, ..H])), k = rotated(norm(x[t, H ..])) stored at position + t
//   x (T, H + Hkv, Dh) f32, query (T, H, Dh) f32, kv as lib/kv.wgsl; gains of queries, then of keys
// One workgroup → one head of one token. A norm goes over a head, or over all of their kind if TOGETHER.
@group(0) @binding(6) var<storage, read> x: array<f32>; // (T, H + Hkv, Dh)
@group(0) @binding(7) var<storage, read_write> query: array<f32>; // (T, H, Dh)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.y;
    let is_key = group.x >= HEADS;
    let head = select(group.x, group.x - HEADS, is_key);
    // Heads that the norm goes over: the first, and how many.
    let kind = select(0u, HEADS, is_key);
    let alone = TOGETHER == 0u;
    let first = select(0u, head, alone);
    let count = select(select(HEADS, KV_HEADS, is_key), 1u, alone);
    let group_at = (t * (HEADS + KV_HEADS) + kind + first) * HEAD_DIM;
    var square = 0.0;
    for (var i = lane; i < count * HEAD_DIM; i += WORKGROUP) {
        square += x[group_at + i] * x[group_at + i];
    }
    let scale = inverseSqrt(sum_of_all(lane, square) / f32(count * HEAD_DIM) + params.eps);
    let at = (t * (HEADS + KV_HEADS) + group.x) * HEAD_DIM;
    let gain = select(0u, QUERY_GAINS, is_key) + (head - first) * HEAD_DIM;
    for (var d = lane * 2u; d < HEAD_DIM; d += WORKGROUP * 2u) {
        let gains = vec2<f32>(own_vector(gain + d), own_vector(gain + d + 1u));
        let v = turned(position_of(t), d, vec2<f32>(x[at + d], x[at + d + 1u]) * gains * scale);
        if (is_key) {
            kv_store2(0u, head, t, d, v);
        } else {
            query[(t * HEADS + head) * HEAD_DIM + d] = v.x;
            query[(t * HEADS + head) * HEAD_DIM + d + 1u] = v.y;
        }
    }
}
