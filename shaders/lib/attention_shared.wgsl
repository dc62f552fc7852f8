// Work split of attention for GPUs.
//
// One workgroup → one token and query head. Keys come in tiles of WORKGROUP, a key an invocation;
// then each invocation adds up its own dimensions of the values.
// Linked with kernel/attention.wgsl and a cache (kv_load4 …).

var<workgroup> q: array<vec4<f32>, HEAD_DIM / 4u>;
var<workgroup> scores: array<f32, WORKGROUP>;
var<workgroup> weights: array<f32, WORKGROUP>;

const DIMS_EACH = (HEAD_DIM + WORKGROUP - 1u) / WORKGROUP;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x;
    let t = group.y;
    let keys = step.position + t + 1u;
    for (var d4 = lane; d4 < HEAD_DIM / 4u; d4 += WORKGROUP) {
        q[d4] = query4(t, head, d4);
    }
    var sum: array<f32, DIMS_EACH>;
    var highest = LOWEST;
    var total = 0.0;
    for (var tile = 0u; tile < keys; tile += WORKGROUP) {
        let here = min(WORKGROUP, keys - tile);
        workgroupBarrier();
        var score = LOWEST;
        if (lane < here) {
            score = 0.0;
            let key = kv_at(0u, key_head(head), tile + lane);
            for (var d4 = 0u; d4 < HEAD_DIM / 4u; d4++) {
                score += dot(q[d4], kv_load4(key + d4 * 4u));
            }
        }
        scores[lane] = score;
        workgroupBarrier();
        var high = highest;
        for (var i = 0u; i < here; i++) {
            high = max(high, scores[i]);
        }
        weights[lane] = select(0.0, exp(score - high), lane < here);
        workgroupBarrier();
        let fade = exp(highest - high);
        total *= fade;
        for (var i = 0u; i < here; i++) {
            total += weights[i];
        }
        for (var own = 0u; own < DIMS_EACH; own++) {
            let d = own * WORKGROUP + lane;
            var part = sum[own] * fade;
            if (d < HEAD_DIM) {
                for (var i = 0u; i < here; i++) {
                    part += weights[i] * kv_load(kv_at(1u, key_head(head), tile + i) + d);
                }
            }
            sum[own] = part;
        }
        highest = high;
    }
    for (var own = 0u; own < DIMS_EACH; own++) {
        let d = own * WORKGROUP + lane;
        if (d < HEAD_DIM) {
            store(t, head, d, sum[own] / total);
        }
    }
}
