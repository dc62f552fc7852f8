// logits[i] with bias, penalties and mask applied; the best of each workgroup's
//   logits (seats, ROWS) f32, in place; best (seats, SLICES): key and id
// One workgroup → SLICE logits of a seat.
@group(0) @binding(7) var<storage, read_write> logits: array<u32>; // (seats, ROWS), bits of f32
@group(0) @binding(13) var<storage, read_write> seen: array<u32>; // (seats, ROWS)
@group(0) @binding(14) var<storage, read> bias: array<f32>; // (seats, ROWS)
@group(0) @binding(15) var<storage, read> allowed: array<u32>; // (seats, ⌈ROWS / 32⌉), a bit a token
@group(0) @binding(16) var<storage, read_write> best: array<vec2<u32>>; // (seats, SLICES): key, id

// Below every logit, and finite: WGSL has no infinity.
const FORBIDDEN = -3.0e38;

fn penalized(seat: u32, id: u32, logit: f32) -> f32 {
    var value = logit;
    if (has(seat, BIAS)) {
        value += bias[seat * ROWS + id];
    }
    if (has(seat, PENALTIES)) {
        let word = seen[seat * ROWS + id];
        if (word != 0u) {
            value = select(value * settings[seat].repetition, value / settings[seat].repetition, value > 0.0);
        }
        let count = word & ~IN_PROMPT;
        if (count > 0u) {
            value -= f32(count) * settings[seat].frequency + settings[seat].presence;
        }
    }
    if (has(seat, MASK) && ((allowed[seat * ((ROWS + 31u) / 32u) + id / 32u] >> (id % 32u)) & 1u) == 0u) {
        value = FORBIDDEN;
    }
    return value;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let seat = group.y;
    var own = vec2<u32>(0u);
    for (var i = lane; i < SLICE; i += WORKGROUP) {
        let id = group.x * SLICE + i;
        if (id < settings[seat].vocab) {
            var bits = logits[seat * ROWS + id];
            var key = key_of(bits);
            if (has(seat, BIAS | PENALTIES | MASK) && key != BROKEN) {
                bits = bitcast<u32>(penalized(seat, id, bitcast<f32>(bits)));
                key = key_of(bits);
                logits[seat * ROWS + id] = bits;
            }
            own = better(own, vec2<u32>(key, id));
        }
    }
    let winner = best_of_all(lane, own);
    if (lane == 0u) {
        best[seat * SLICES + group.x] = winner;
    }
}
