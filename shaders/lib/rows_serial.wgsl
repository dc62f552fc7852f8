// Work split of the projections without barriers, for software adapters.
//
// One invocation → a unit of UNIT adjacent rows × TOKENS tokens, over all of K: a word that is loaded costs more than
// what is done with it, so both are large. All units for the first tokens, then all for the next.
// Linked with an input (input4 …), a format (decode_block), how they meet (add_block), what adapters add (add_low_rank), lib/block
// and a kernel (first_token, store_pair …).

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = (group.x + group.y * params.grid_x) * WORKGROUP + lane;
    let units = (params.rows + UNIT - 1u) / UNIT;
    let row = UNIT * (index % units);
    let t0 = first_token() + index / units * TOKENS;
    if (t0 >= step.tokens) {
        return;
    }
    let last = step.tokens - 1u;
    var scale: array<f32, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
        var square = 0.0;
        for (var i = 0u; i < SQUARES4; i++) {
            square += input_square(min(t0 + t, last), i);
        }
        scale[t] = input_scale(square);
    }
    var sum: Sums;
    for (var block = 0u; block < (COLS + 31u) / 32u; block++) {
        add_block(row, t0, last, block, scale, &sum);
    }
    add_low_rank(row, t0, last, 0u, 1u, &sum);
    store_unit(row, t0, &sum);
}
