// Work split of attention without barriers, for software adapters.
//
// One invocation → one token and query head, with a running maximum (Milakov and Gimelshein 2018,
// arXiv 1805.02867). Linked with kernel/attention.wgsl, a sink and a cache (kv_load4 …).

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group.x * WORKGROUP + lane;
    let t = index / HEADS;
    let head = index % HEADS;
    if (t >= step.tokens) {
        return;
    }
    var q: array<vec4<f32>, DIMS4>;
    var sum: array<vec4<f32>, VALUES4>;
    for (var d4 = 0u; d4 < DIMS4; d4++) {
        q[d4] = query4(t, head, d4);
    }
    var highest = LOWEST;
    var total = 0.0;
    for (var s = start_of(t); s < end_of(t); s++) {
        let key = kv_at(0u, head / SHARING, s);
        var score = 0.0;
        for (var d4 = 0u; d4 < DIMS4; d4++) {
            score += dot(q[d4], kv_load4(key + d4 * 4u));
        }
        score = capped(score);
        let high = max(highest, score);
        let fade = exp(highest - high);
        let weight = exp(score - high);
        let value = kv_at(1u, head / SHARING, s);
        for (var d4 = 0u; d4 < VALUES4; d4++) {
            sum[d4] = sum[d4] * fade + weight * kv_load4(value + d4 * 4u);
        }
        total = total * fade + weight;
        highest = high;
    }
    total += sink_weight(head, highest);
    for (var d4 = 0u; d4 < VALUES4; d4++) {
        store4(t, head, d4, sum[d4] / total);
    }
}
