// Work split of the projections for GPUs with subgroups.
//
// One subgroup → units of UNIT adjacent rows × TOKENS tokens; its lanes share K by blocks and add up once
// a unit, without a barrier. One workgroup → UNITS units. The size of a subgroup may differ from run
// to run between two bounds: UNITS = WORKGROUP / smallest, ROUNDS = largest / smallest.
// Subgroup operations stand in uniform control flow: a unit out of range adds zeros.
// Linked with an input (input4 …), a format (decode_block), how they meet (add_block), what adapters add (add_low_rank), lib/block
// and a kernel (first_token, store_pair …).

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
        for (var i = lane; i < SQUARES4; i += width) {
            square += input_square(min(t0 + t, last), i);
        }
        scale[t] = input_scale(subgroupAdd(square));
    }
    for (var round = 0u; round < ROUNDS; round++) {
        let unit = round * (WORKGROUP / width) + index / width;
        let row = UNIT * ((group.x + group.y * params.grid_x) * UNITS + unit);
        let in_range = unit < UNITS && row < params.rows;
        var sum = Sums();
        if (in_range) {
            for (var block = lane; block < (COLS + 31u) / 32u; block += width) {
                add_block(row, t0, last, block, scale, &sum);
            }
            add_low_rank(row, t0, last, lane, width, &sum);
        }
        for (var r = 0u; r < UNIT; r++) {
            for (var t = 0u; t < TOKENS; t++) {
                sum[r][t] = subgroupAdd(sum[r][t]);
            }
        }
        if (in_range && lane == 0u) {
            store_unit(row, t0, &sum);
        }
    }
}
