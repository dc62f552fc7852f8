// The key [norm(x[t, ..Dv]) | rotated x[t, Dv ..]] stored at position + t; query[t, h, Dv ..] = the last of q[t, h] rotated
//   x (T, Dh) f32, q (T, H, QUERY_EACH) f32, query (T, H, Dh) f32, kv as lib/kv.wgsl, one head
// One workgroup → a head of queries of one token, or the key.
@group(0) @binding(6) var<storage, read> x: array<f32>; // (T, Dh)
@group(0) @binding(7) var<storage, read_write> query: array<f32>; // (T, H, Dh)
@group(0) @binding(26) var<storage, read> q: array<f32>; // (T, H, QUERY_EACH)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.y;
    let rotated = HEAD_DIM - VALUE_DIM;
    if (group.x < HEADS) {
        let head = t * HEADS + group.x;
        let at = (head + 1u) * QUERY_EACH - rotated;
        for (var d = lane * 2u; d < rotated; d += WORKGROUP * 2u) {
            let v = turned(position_of(t), d, vec2<f32>(q[at + d], q[at + d + 1u]));
            query[head * HEAD_DIM + VALUE_DIM + d] = v.x;
            query[head * HEAD_DIM + VALUE_DIM + d + 1u] = v.y;
        }
        return;
    }
    let at = t * HEAD_DIM;
    var square = 0.0;
    for (var d = lane; d < VALUE_DIM; d += WORKGROUP) {
        square += x[at + d] * x[at + d];
    }
    let scale = inverseSqrt(sum_of_all(lane, square) / f32(VALUE_DIM) + params.eps);
    for (var d = lane * 2u; d < HEAD_DIM; d += WORKGROUP * 2u) {
        var v = vec2<f32>(x[at + d], x[at + d + 1u]);
        if (d < VALUE_DIM) {
            v *= vec2<f32>(own_vector(d), own_vector(d + 1u)) * scale;
        } else {
            v = turned(position_of(t), d - VALUE_DIM, v);
        }
        kv_store2(0u, 0u, t, d, v);
    }
}
