// out[t, s, i] = gated(g, u)·score with (g, u) = W[expert s of t][2i, 2i + 1]·norm(x[t]) + bias; or the score multiplies the
// product
//   W (E, 2F, D) planes or some of its experts, x (T, D) f32, out (T, USED, F) f32
// Rows are those of all experts that a token uses, one after the other.
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // (T, WIDTH)

fn first_token() -> u32 {
    return 0u;
}

fn expert_row(t: u32, row: u32, block: u32) -> u32 {
    let at = expert_at(t, row / EXPERT_ROWS);
    // That of another part may be a huge number, which must not come round.
    return select(at, at + row % EXPERT_ROWS, at < params.part_rows);
}

fn expert_block(block: u32) -> u32 {
    return block;
}

fn store_pair(row: u32, t: u32, v: vec2<f32>) -> f32 {
    let slot = row / EXPERT_ROWS;
    if (expert_at(t, slot) < params.part_rows) {
        let score = bitcast<f32>(chosen_at(t, slot).y);
        let g = select(v, v * score, SCORES_INPUT == 1u) + bias_of_slot(t, slot, row % EXPERT_ROWS);
        out[t * WIDTH + row / 2u] = gated(g.x, g.y) * select(score, 1.0, SCORES_INPUT == 1u);
    }
    return 0.0;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
}
