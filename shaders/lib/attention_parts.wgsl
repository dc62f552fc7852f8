// Work split of attention for few tokens, on GPUs.
//
// One workgroup → one token, GROUP query heads of one key head and a part of the keys: a key is read once for all of
// them. Keys come in tiles of KEYS = WORKGROUP, with a running maximum (Milakov and Gimelshein 2018, arXiv 1805.02867).
// Scores: LANES invocations a key; values: Dv / 4 invocations a key.
// Linked with kernel/attention.wgsl, a sink, a cache (kv_load4 …) and lib/key_parts.wgsl.

// Invocations that share a key: together they load a piece of it without gaps.
const LANES = 4u;
// Keys that have their scores computed at a time.
const AT_ONCE = WORKGROUP / LANES;
// Keys that have their values added at a time.
const SLICES = WORKGROUP / VALUES4;
// Invocations that find a head's highest score.
const SEEKERS = WORKGROUP / MOST_GROUP;

var<workgroup> q: array<vec4<f32>, GROUP * DIMS4>;
var<workgroup> pieces: array<f32, GROUP * WORKGROUP>;
var<workgroup> weights: array<f32, GROUP * KEYS>;
var<workgroup> slices: array<vec4<f32>, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let head = group.x * GROUP;
    let t = group.z;
    let keys = keys_of(t);
    let start = first_row_of(t) + start_of(t);
    let each = tiles_each(keys) * KEYS;
    let end = min(keys, (group.y + 1u) * each);
    for (var i = lane; i < GROUP * DIMS4; i += WORKGROUP) {
        q[i] = query4(t, head + i / DIMS4, i % DIMS4);
    }
    var sum: array<vec4<f32>, GROUP>;
    var total: array<f32, GROUP>;
    var highest: array<f32, GROUP>;
    for (var g = 0u; g < GROUP; g++) {
        highest[g] = LOWEST;
    }
    for (var tile = group.y * each; tile < end; tile += KEYS) {
        let here = min(KEYS, end - tile);
        score(head, start + tile, here, lane);
        // The highest of each head.
        if (lane / SEEKERS < GROUP) {
            var high = LOWEST;
            for (var key = lane % SEEKERS; key < here; key += SEEKERS) {
                high = max(high, weights[lane / SEEKERS * KEYS + key]);
            }
            pieces[lane] = high;
        }
        for (var half = SEEKERS / 2u; half > 0u; half /= 2u) {
            workgroupBarrier();
            if (lane % SEEKERS < half && lane / SEEKERS < GROUP) {
                pieces[lane] = max(pieces[lane], pieces[lane + half]);
            }
        }
        workgroupBarrier();
        for (var g = 0u; g < GROUP; g++) {
            let high = max(highest[g], pieces[g * SEEKERS]);
            let fade = exp(highest[g] - high);
            sum[g] *= fade;
            total[g] *= fade;
            highest[g] = high;
            let at = g * KEYS + lane;
            weights[at] = select(0.0, exp(weights[at] - high), lane < here);
        }
        workgroupBarrier();
        if (lane < SLICES * VALUES4) {
            for (var key = lane / VALUES4; key < here; key += SLICES) {
                let value = kv_load4(kv_at(1u, head / SHARING, start + tile + key) + lane % VALUES4 * 4u);
                for (var g = 0u; g < GROUP; g++) {
                    let weight = weights[g * KEYS + key];
                    sum[g] += weight * value;
                    total[g] += weight;
                }
            }
        }
    }
    for (var g = 0u; g < GROUP; g++) {
        workgroupBarrier();
        slices[lane] = sum[g];
        pieces[lane] = total[g];
        workgroupBarrier();
        if (lane < VALUES4 && group.y < parts_of(keys)) {
            var all = vec4<f32>(0.0);
            var weight = 0.0;
            for (var slice = 0u; slice < SLICES; slice++) {
                all += slices[slice * VALUES4 + lane];
                weight += pieces[slice * VALUES4 + lane];
            }
            if (parts_of(keys) == 1u) {
                store4(t, head + g, lane, all / (weight + sink_weight(head + g, highest[g])));
            } else {
                let at = part_at(t, head + g, group.y);
                sums_of_parts[at + lane] = all;
                if (lane == 0u) {
                    sums_of_parts[at + VALUES4] = vec4<f32>(highest[g], weight, 0.0, 0.0);
                }
            }
        }
    }
}

// Scores of `here` keys from row `tile` on, into `weights`.
fn score(head: u32, tile: u32, here: u32, lane: u32) {
    for (var first = 0u; first < KEYS; first += AT_ONCE) {
        workgroupBarrier();
        var piece = array<f32, GROUP>();
        if (first + lane / LANES < here) {
            let key = kv_at(0u, head / SHARING, tile + first + lane / LANES);
            for (var d4 = lane % LANES; d4 < DIMS4; d4 += LANES) {
                let k = kv_load4(key + d4 * 4u);
                for (var g = 0u; g < GROUP; g++) {
                    piece[g] += dot(q[g * DIMS4 + d4], k);
                }
            }
        }
        for (var g = 0u; g < GROUP; g++) {
            pieces[g * WORKGROUP + lane] = piece[g];
        }
        workgroupBarrier();
        for (var i = lane; i < GROUP * AT_ONCE; i += WORKGROUP) {
            let at = i * LANES;
            weights[i / AT_ONCE * KEYS + first + i % AT_ONCE] =
                capped(pieces[at] + pieces[at + 1u] + pieces[at + 2u] + pieces[at + 3u]);
        }
    }
    workgroupBarrier();
}
