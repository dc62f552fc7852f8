// Work split of the projections without barriers, for software adapters.
//
// One invocation → two adjacent rows × TOKENS tokens, over all of K.
// Linked with an input (input4 …), a format (decode_block) and a kernel (first_token, store_pair).

fn scale_of(token: u32) -> f32 {
    var sum = 0.0;
    if (NORMED) {
        for (var k4 = 0u; k4 < COLS / 4u; k4++) {
            sum += input_square(token, k4);
        }
    }
    return input_scale(sum);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = 2u * ((group.x + group.y * params.grid_x) * WORKGROUP + lane);
    if (row >= params.rows) {
        return;
    }
    let t0 = first_token() + group.z * TOKENS;
    let last = step.tokens - 1u;
    var scale: array<f32, TOKENS>;
    var sum: array<vec2<f32>, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
        scale[t] = scale_of(min(t0 + t, last));
    }
    for (var block = 0u; block < BLOCKS; block++) {
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
    for (var t = 0u; t < TOKENS; t++) {
        if (t0 + t < step.tokens) {
            store_pair(row, t0 + t, sum[t]);
        }
    }
}
