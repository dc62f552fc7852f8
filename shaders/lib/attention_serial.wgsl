// Work split of attention without barriers, for software adapters.
//
// One invocation → one token and query head, with a running maximum (Milakov and Gimelshein 2018, arXiv 1805.02867). Keys come
// in fours, and their dimensions in pieces of four vec4s: a driver that bounds how often a shader's loops go round
// (llvmpipe: 65535 times in all) then sees enough keys, and there is less to do besides the products.
// Linked with kernel/attention.wgsl, a sink and a cache (kv_load4 …).

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
    let first = first_row_of(t);
    let end = first + end_of(t);
    for (var s = first + start_of(t); s < end; s += 4u) {
        // Behind the last there is none: it is read again, and counts for nothing.
        let own = vec4<u32>(s) + vec4<u32>(0u, 1u, 2u, 3u);
        let keys = min(own, vec4<u32>(end - 1u));
        let key = rows_at(0u, head / SHARING, keys);
        var score = vec4<f32>(0.0);
        for (var d4 = 0u; d4 < DIMS4; d4 += 4u) {
            score += scores_of(q[d4], key, d4);
            if (d4 + 1u < DIMS4) {
                score += scores_of(q[d4 + 1u], key, d4 + 1u);
            }
            if (d4 + 2u < DIMS4) {
                score += scores_of(q[d4 + 2u], key, d4 + 2u);
            }
            if (d4 + 3u < DIMS4) {
                score += scores_of(q[d4 + 3u], key, d4 + 3u);
            }
        }
        score = vec4<f32>(capped(score.x), capped(score.y), capped(score.z), capped(score.w));
        score = select(vec4<f32>(LOWEST), score, own < vec4<u32>(end));
        let high = max(max(highest, max(score.x, score.y)), max(score.z, score.w));
        let fade = exp(highest - high);
        let weight = exp(score - vec4<f32>(high));
        let value = rows_at(1u, head / SHARING, keys);
        for (var d4 = 0u; d4 < VALUES4; d4 += 4u) {
            sum[d4] = sum[d4] * fade + values_of(weight, value, d4);
            if (d4 + 1u < VALUES4) {
                sum[d4 + 1u] = sum[d4 + 1u] * fade + values_of(weight, value, d4 + 1u);
            }
            if (d4 + 2u < VALUES4) {
                sum[d4 + 2u] = sum[d4 + 2u] * fade + values_of(weight, value, d4 + 2u);
            }
            if (d4 + 3u < VALUES4) {
                sum[d4 + 3u] = sum[d4 + 3u] * fade + values_of(weight, value, d4 + 3u);
            }
        }
        total = total * fade + dot(weight, vec4<f32>(1.0));
        highest = high;
    }
    total += sink_weight(head, highest);
    for (var d4 = 0u; d4 < VALUES4; d4++) {
        store4(t, head, d4, sum[d4] / total);
    }
}

// Where four keys begin, or their values, by their rows.
fn rows_at(which: u32, head: u32, keys: vec4<u32>) -> vec4<u32> {
    return vec4<u32>(
        kv_at(which, head, keys.x), kv_at(which, head, keys.y), kv_at(which, head, keys.z), kv_at(which, head, keys.w),
    );
}

// Products of four keys with a piece of the query.
fn scores_of(q: vec4<f32>, key: vec4<u32>, d4: u32) -> vec4<f32> {
    let at = key + vec4<u32>(d4 * 4u);
    return vec4<f32>(
        dot(q, kv_load4(at.x)), dot(q, kv_load4(at.y)), dot(q, kv_load4(at.z)), dot(q, kv_load4(at.w)),
    );
}

// The sum of a piece of four values, each times its weight.
fn values_of(weight: vec4<f32>, value: vec4<u32>, d4: u32) -> vec4<f32> {
    let at = value + vec4<u32>(d4 * 4u);
    return weight.x * kv_load4(at.x) + weight.y * kv_load4(at.y)
        + weight.z * kv_load4(at.z) + weight.w * kv_load4(at.w);
}
