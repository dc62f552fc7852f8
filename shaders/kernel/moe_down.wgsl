// residual[t, r] += Σ_s (Σ_k W[expert s of t][r, k]·x[t, s, k] + score·bias[expert s of t][r])
//   W (E, D, F) planes or some of its experts, x (T, USED, F) f32, residual (T, WIDTH) f32
// Columns are those of all experts that a token uses, one after the other.
@group(0) @binding(7) var<storage, read_write> residual: array<f32>; // (T, WIDTH)

fn first_token() -> u32 {
    return 0u;
}

fn expert_row(t: u32, row: u32, block: u32) -> u32 {
    let at = expert_at(t, block / BLOCKS);
    return select(at, at + row, at < params.part_rows);
}

fn expert_block(block: u32) -> u32 {
    return block % BLOCKS;
}

fn store_pair(row: u32, t: u32, sum: vec2<f32>) -> f32 {
    let v = sum + bias_of_sum(t, row);
    let at = t * WIDTH + row;
    let first = residual[at] + v.x;
    residual[at] = first;
    let second = residual[at + 1u] + v.y;
    residual[at + 1u] = second;
    return pass_on(t, row, first) + pass_on(t, row + 1u, second);
}

fn store_squares(row: u32, t: u32, sum: f32) {
    pass_on_squares(t, row, sum);
}
