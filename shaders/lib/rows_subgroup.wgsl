// Work split of the projections for GPUs with subgroups.
//
// One subgroup → pairs of adjacent rows × TOKENS tokens; its lanes share K by blocks and add up once
// a pair, without a barrier. One workgroup → PAIRS pairs. The size of a subgroup may differ from run
// to run between two bounds: PAIRS = WORKGROUP / smallest, ROUNDS = largest / smallest.
// Subgroup operations stand in uniform control flow: a pair out of range adds zeros.
// Linked with an input (input4 …), a format (decode_block) and a kernel (first_token, store_pair).

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(subgroup_size) width: u32,
) {
    let t0 = first_token() + group.z * TOKENS;
    let last = step.tokens - 1u;
    var scale: array<f32, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
        var square = 0.0;
        if (NORMED) {
            for (var k4 = lane; k4 < COLS / 4u; k4 += width) {
                square += input_square(min(t0 + t, last), k4);
            }
        }
        scale[t] = input_scale(subgroupAdd(square));
    }
    for (var round = 0u; round < ROUNDS; round++) {
        let pair = round * (WORKGROUP / width) + index / width;
        let row = 2u * ((group.x + group.y * params.grid_x) * PAIRS + pair);
        let in_range = pair < PAIRS && row < params.rows;
        var sum: array<vec2<f32>, TOKENS>;
        if (in_range) {
            for (var block = lane; block < BLOCKS; block += width) {
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
            let total = vec2<f32>(subgroupAdd(sum[t].x), subgroupAdd(sum[t].y));
            if (in_range && lane == 0u && t0 + t < step.tokens) {
                store_pair(row, t0 + t, total);
            }
        }
    }
}
