// logits[i] with bias, penalties and mask applied; the best of each workgroup's
//   logits (V,) f32, in place; best (⌈V / SLICE⌉,): key and id
// One workgroup → SLICE logits.
@group(0) @binding(7) var<storage, read_write> logits: array<u32>; // (V,), bits of f32
@group(0) @binding(13) var<storage, read_write> seen: array<u32>; // (V,)
@group(0) @binding(14) var<storage, read> bias: array<f32>; // (V,)
@group(0) @binding(15) var<storage, read> allowed: array<u32>; // (⌈V / 32⌉,), a bit a token
@group(0) @binding(16) var<storage, read_write> best: array<vec2<u32>>; // (⌈V / SLICE⌉,): key, id

// Below every logit, and finite: WGSL has no infinity.
const FORBIDDEN = -3.0e38;

fn penalized(id: u32, logit: f32) -> f32 {
    var value = logit;
    if (has(BIAS)) {
        value += bias[id];
    }
    if (has(PENALTIES)) {
        let word = seen[id];
        if (word != 0u) {
            value = select(value * params.repetition, value / params.repetition, value > 0.0);
        }
        let count = word & ~IN_PROMPT;
        if (count > 0u) {
            value -= f32(count) * params.frequency + params.presence;
        }
    }
    if (has(MASK) && ((allowed[id / 32u] >> (id % 32u)) & 1u) == 0u) {
        value = FORBIDDEN;
    }
    return value;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    var own = vec2<u32>(0u);
    for (var i = lane; i < SLICE; i += WORKGROUP) {
        let id = group.x * SLICE + i;
        if (id < params.vocab) {
            var bits = logits[id];
            var key = key_of(bits);
            if (has(BIAS | PENALTIES | MASK) && key != BROKEN) {
                bits = bitcast<u32>(penalized(id, bitcast<f32>(bits)));
                key = key_of(bits);
                logits[id] = bits;
            }
            own = better(own, vec2<u32>(key, id));
        }
    }
    let winner = best_of_all(lane, own);
    if (lane == 0u) {
        best[group.x] = winner;
    }
}
