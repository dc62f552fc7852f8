// Work split of attention for many tokens of one conversation, on GPUs.
//
// One workgroup → SIDE rows × all their keys, SIDE at a time, for one key head; a row is a query head of a token, and
// the heads that share the key head lie side by side. Dimensions come in chunks of SIDE. An invocation has 4 rows: of
// the scores 4 keys of each, of the sums 4 dimensions of each chunk. With a running maximum as in FlashAttention (Dao
// et al. 2022, arXiv 2205.14135); keys before what its first row sees and behind its last row are not visited.
// Linked with kernel/attention.wgsl, a sink and a cache (kv_load4 …).

const SIDE = 32u;
// Vec4s of a row of a chunk; and one more, so that rows begin in different banks.
const CHUNK4 = SIDE / 4u;
const STRIDE = CHUNK4 + 1u;
const CHUNKS = (DIMS4 + CHUNK4 - 1u) / CHUNK4;
const VALUE_CHUNKS = (VALUES4 + CHUNK4 - 1u) / CHUNK4;

// A chunk of the queries (rows, dims); then the weights (keys, rows).
var<workgroup> left: array<vec4<f32>, SIDE * STRIDE>;
// A chunk of the keys, or of the values (keys, dims).
var<workgroup> right: array<vec4<f32>, SIDE * STRIDE>;
// (rows / 4, 8): what each invocation has for its rows.
var<workgroup> side_by_side: array<vec4<f32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let key_head = group.x;
    let row0 = group.y * SIDE;
    let own = lane / 8u;
    let column = lane % 8u;
    let keys = end_of(min((row0 + SIDE - 1u) / SHARING, step.tokens - 1u));
    var highest = vec4<f32>(LOWEST);
    var total = vec4<f32>(0.0);
    var sum: array<vec4<f32>, 4u * VALUE_CHUNKS>;
    for (var tile = start_of(row0 / SHARING); tile < keys; tile += SIDE) {
        var score = array<vec4<f32>, 4>(); // of key column + 8·j, over the rows
        for (var chunk = 0u; chunk < CHUNKS; chunk++) {
            workgroupBarrier();
            load_queries(key_head, row0, chunk, lane);
            load_right(0u, key_head, tile, keys, chunk, lane);
            workgroupBarrier();
            for (var d4 = 0u; d4 < CHUNK4; d4++) {
                let at = own * 4u * STRIDE + d4;
                let q = array<vec4<f32>, 4>(
                    left[at], left[at + STRIDE], left[at + 2u * STRIDE], left[at + 3u * STRIDE],
                );
                for (var j = 0u; j < 4u; j++) {
                    let k = right[(column + 8u * j) * STRIDE + d4];
                    score[j] += vec4<f32>(dot(q[0], k), dot(q[1], k), dot(q[2], k), dot(q[3], k));
                }
            }
        }
        let row = vec4<u32>(row0 + own * 4u) + vec4<u32>(0u, 1u, 2u, 3u);
        let behind = select(row / SHARING + vec4<u32>(1u), vec4<u32>(step.tokens), SEES_ALL == 1u);
        let end = vec4<u32>(step.seats[0].position) + behind;
        let chunk = (end - vec4<u32>(1u)) / params.chunk * params.chunk;
        let start = max(end - min(end, vec4<u32>(params.window)), chunk);
        for (var j = 0u; j < 4u; j++) {
            let key = vec4<u32>(tile + column + 8u * j);
            let bounded = vec4<f32>(capped(score[j].x), capped(score[j].y), capped(score[j].z), capped(score[j].w));
            score[j] = select(vec4<f32>(LOWEST), bounded, (key < end) & (key >= start));
        }
        side_by_side[lane] = max(max(score[0], score[1]), max(score[2], score[3]));
        workgroupBarrier();
        var high = highest;
        for (var i = 0u; i < 8u; i++) {
            high = max(high, side_by_side[own * 8u + i]);
        }
        let fade = exp(highest - high);
        highest = high;
        total *= fade;
        for (var j = 0u; j < 4u; j++) {
            let weight = exp(score[j] - high);
            total += weight;
            left[(column + 8u * j) * STRIDE + own] = weight;
        }
        for (var chunk = 0u; chunk < VALUE_CHUNKS; chunk++) {
            workgroupBarrier();
            load_right(1u, key_head, tile, keys, chunk, lane);
            workgroupBarrier();
            let at = chunk * 4u;
            var part = array<vec4<f32>, 4>(
                sum[at] * fade.x, sum[at + 1u] * fade.y, sum[at + 2u] * fade.z, sum[at + 3u] * fade.w,
            );
            for (var key = 0u; key < SIDE; key++) {
                let weight = left[key * STRIDE + own];
                let value = right[key * STRIDE + column];
                part[0] += weight.x * value;
                part[1] += weight.y * value;
                part[2] += weight.z * value;
                part[3] += weight.w * value;
            }
            for (var i = 0u; i < 4u; i++) {
                sum[at + i] = part[i];
            }
        }
    }
    workgroupBarrier();
    side_by_side[lane] = total;
    workgroupBarrier();
    total = vec4<f32>(0.0);
    for (var i = 0u; i < 8u; i++) {
        total += side_by_side[own * 8u + i];
    }
    for (var i = 0u; i < 4u; i++) {
        let row = row0 + own * 4u + i;
        if (row < step.tokens * SHARING) {
            let head = key_head * SHARING + row % SHARING;
            let all = total[i] + sink_weight(head, highest[i]);
            for (var chunk = 0u; chunk < VALUE_CHUNKS; chunk++) {
                let d4 = chunk * CHUNK4 + column;
                if (d4 < VALUES4) {
                    store4(row / SHARING, head, d4, sum[chunk * 4u + i] / all);
                }
            }
        }
    }
}

fn load_queries(key_head: u32, row0: u32, chunk: u32, lane: u32) {
    for (var i = lane; i < SIDE * CHUNK4; i += WORKGROUP) {
        let row = row0 + i / CHUNK4;
        let d4 = chunk * CHUNK4 + i % CHUNK4;
        var value = vec4<f32>(0.0);
        if (row < step.tokens * SHARING && d4 < DIMS4) {
            value = query4(row / SHARING, key_head * SHARING + row % SHARING, d4);
        }
        left[i / CHUNK4 * STRIDE + i % CHUNK4] = value;
    }
}

// A chunk of the keys (`which` 0) or the values (1) from `tile` on.
fn load_right(which: u32, key_head: u32, tile: u32, keys: u32, chunk: u32, lane: u32) {
    for (var i = lane; i < SIDE * CHUNK4; i += WORKGROUP) {
        let key = tile + i / CHUNK4;
        let d4 = chunk * CHUNK4 + i % CHUNK4;
        var value = vec4<f32>(0.0);
        if (key < keys && d4 < DIMS4) {
            value = kv_load4(kv_at(which, key_head, step.seats[0].first_row + key) + d4 * 4u);
        }
        right[i / CHUNK4 * STRIDE + i % CHUNK4] = value;
    }
}
