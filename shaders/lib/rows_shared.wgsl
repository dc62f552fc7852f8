// Work split of the projections for GPUs without subgroups.
//
// One workgroup → PAIRS pairs of adjacent rows × TOKENS tokens; LANES invocations a pair share K by
// blocks and add up through workgroup memory. WORKGROUP = PAIRS · LANES, LANES a power of two.
// Linked with an input (input4 …), a format (decode_block) and a kernel (first_token, store_pair).

var<workgroup> partial: array<vec2<f32>, WORKGROUP * TOKENS>;

// Adds up `width` neighbouring lanes' partials of every token; the sum lands in the first lane's.
fn add_up(lane: u32, width: u32) {
    workgroupBarrier();
    for (var half = width / 2u; half > 0u; half /= 2u) {
        if (lane % width < half) {
            for (var t = 0u; t < TOKENS; t++) {
                partial[t * WORKGROUP + lane] += partial[t * WORKGROUP + lane + half];
            }
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = 2u * ((group.x + group.y * params.grid_x) * PAIRS + lane / LANES);
    let t0 = first_token() + group.z * TOKENS;
    let last = step.tokens - 1u;
    var scale: array<f32, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
        scale[t] = input_scale(0.0);
    }
    if (NORMED) {
        for (var t = 0u; t < TOKENS; t++) {
            var square = 0.0;
            for (var k4 = lane; k4 < COLS / 4u; k4 += WORKGROUP) {
                square += input_square(min(t0 + t, last), k4);
            }
            partial[t * WORKGROUP + lane] = vec2<f32>(square, 0.0);
        }
        add_up(lane, WORKGROUP);
        for (var t = 0u; t < TOKENS; t++) {
            scale[t] = input_scale(partial[t * WORKGROUP].x);
        }
        workgroupBarrier();
    }

    var sum: array<vec2<f32>, TOKENS>;
    if (row < params.rows) {
        for (var block = lane % LANES; block < BLOCKS; block += LANES) {
            let a = decode_block(row, block);
            let b = decode_block(row + 1u, block);
            for (var t = 0u; t < TOKENS; t++) {
                let token = min(t0 + t, last);
                for (var j = 0u; j < 8u; j++) {
                    let v = real4(input4(token, block * 8u + j) * scale[t]);
                    sum[t] += vec2<f32>(f32(dot(a[j], v)), f32(dot(b[j], v)));
                }
            }
        }
    }
    for (var t = 0u; t < TOKENS; t++) {
        partial[t * WORKGROUP + lane] = sum[t];
    }
    add_up(lane, LANES);
    if (lane % LANES == 0u && row < params.rows) {
        for (var t = 0u; t < TOKENS; t++) {
            if (t0 + t < step.tokens) {
                store_pair(row, t0 + t, partial[t * WORKGROUP + lane]);
            }
        }
    }
}
