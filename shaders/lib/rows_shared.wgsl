// Work split of the projections for GPUs without subgroups.
//
// One workgroup → UNITS units of UNIT adjacent rows × TOKENS tokens; LANES invocations a unit share K by
// blocks and add up through workgroup memory. WORKGROUP = UNITS · LANES, LANES a power of two.
// Linked with an input (input4 …), a format (decode_block), how they meet (add_block), what adapters add (add_low_rank), lib/block
// and a kernel (first_token, store_pair …).

var<workgroup> partial: array<Sums, WORKGROUP>;

// Adds up `width` neighbouring lanes' partials; the sums land in the first lane's.
fn add_up(lane: u32, width: u32) {
    workgroupBarrier();
    for (var half = width / 2u; half > 0u; half /= 2u) {
        if (lane % width < half) {
            for (var r = 0u; r < UNIT; r++) {
                for (var t = 0u; t < TOKENS; t++) {
                    partial[lane][r][t] += partial[lane + half][r][t];
                }
            }
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let row = UNIT * ((group.x + group.y * params.grid_x) * UNITS + lane / LANES);
    let t0 = first_token() + group.z * TOKENS;
    let last = step.tokens - 1u;
    var scale: array<f32, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
        scale[t] = input_scale(0.0);
    }
    if (SQUARES4 > 0u) {
        for (var t = 0u; t < TOKENS; t++) {
            var square = 0.0;
            for (var i = lane; i < SQUARES4; i += WORKGROUP) {
                square += input_square(min(t0 + t, last), i);
            }
            partial[lane][0][t] = square;
        }
        add_up(lane, WORKGROUP);
        for (var t = 0u; t < TOKENS; t++) {
            scale[t] = input_scale(partial[0][0][t]);
        }
        workgroupBarrier();
    }

    var sum: Sums;
    if (row < params.rows) {
        for (var block = lane % LANES; block < (COLS + 31u) / 32u; block += LANES) {
            add_block(row, t0, last, block, scale, &sum);
        }
        add_low_rank(row, t0, last, lane % LANES, LANES, &sum);
    }
    partial[lane] = sum;
    add_up(lane, LANES);
    if (lane % LANES == 0u && row < params.rows) {
        sum = partial[lane];
        store_unit(row, t0, &sum);
    }
}
