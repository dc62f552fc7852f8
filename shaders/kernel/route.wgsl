// chosen[t] = the USED experts with the highest scores, the best first, and these scores
//   logits (T, EXPERTS) f32, chosen (T, USED, 2): number, bits of the score
// One workgroup → one token. An expert's place is how many are better than it, of equals the first ones.
@group(0) @binding(6) var<storage, read> logits: array<f32>; // (T, EXPERTS)
@group(0) @binding(7) var<storage, read_write> chosen: array<vec2<u32>>; // (T, USED)

var<workgroup> scores: array<f32, EXPERTS>;
// Scores as they are compared.
var<workgroup> compared: array<f32, EXPERTS>;
var<workgroup> of_groups: array<f32, GROUPS>;
var<workgroup> best: array<u32, USED>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.x;
    for (var e = lane; e < EXPERTS; e += WORKGROUP) {
        scores[e] = logits[t * EXPERTS + e];
    }
    workgroupBarrier();
    score(lane);
    workgroupBarrier();
    for (var e = lane; e < EXPERTS; e += WORKGROUP) {
        compared[e] = scores[e] + selection_bias(e);
    }
    workgroupBarrier();
    if (GROUPS > 1u) {
        for (var g = lane; g < GROUPS; g += WORKGROUP) {
            of_groups[g] = score_of_group(g);
        }
        workgroupBarrier();
        for (var e = lane; e < EXPERTS; e += WORKGROUP) {
            if (place_of_group(e / (EXPERTS / GROUPS)) >= USED_GROUPS) {
                compared[e] = 0.0;
            }
        }
        workgroupBarrier();
    }
    for (var e = lane; e < EXPERTS; e += WORKGROUP) {
        let place = place_of(e);
        if (place < USED) {
            best[place] = e;
        }
    }
    workgroupBarrier();
    var divisor = 1.0;
    if (NORMALIZED == 1u) {
        divisor = 0.0;
        for (var s = 0u; s < USED; s++) {
            divisor += scores[best[s]];
        }
    }
    for (var s = lane; s < USED; s += WORKGROUP) {
        let value = scores[best[s]] / divisor * params.scale;
        chosen[t * USED + s] = vec2<u32>(best[s], bitcast<u32>(value));
    }
}

// How many experts come before it.
fn place_of(e: u32) -> u32 {
    var place = 0u;
    let own = compared[e];
    for (var other = 0u; other < EXPERTS; other++) {
        let value = compared[other];
        place += u32(value > own || (value == own && other < e));
    }
    return place;
}

fn place_of_group(g: u32) -> u32 {
    var place = 0u;
    for (var other = 0u; other < GROUPS; other++) {
        place += u32(of_groups[other] > of_groups[g] || (of_groups[other] == of_groups[g] && other < g));
    }
    return place;
}

// The sum of a group's best one or two.
fn score_of_group(g: u32) -> f32 {
    let first = g * (EXPERTS / GROUPS);
    let end = first + EXPERTS / GROUPS;
    var best_at = first;
    for (var e = first + 1u; e < end; e++) {
        if (compared[e] > compared[best_at]) {
            best_at = e;
        }
    }
    if (GROUP_BEST == 1u) {
        return compared[best_at];
    }
    var second = -3.0e38;
    for (var e = first; e < end; e++) {
        if (e != best_at) {
            second = max(second, compared[e]);
        }
    }
    return compared[best_at] + second;
}
