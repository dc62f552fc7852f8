// residual[t, r] += Σ_k W[r, k]·x[t, k] + bias[r]   W (R, K) planes, x (T, K) f32, residual (T, WIDTH) f32
@group(0) @binding(7) var<storage, read_write> residual: array<f32>; // (T, WIDTH)

fn first_token() -> u32 {
    return 0u;
}

fn store_pair(part_row: u32, t: u32, product: vec2<f32>) -> f32 {
    let row = params.first_row + part_row;
    let v = biased(row, product);
    let at = t * WIDTH + row;
    let first = residual[at] + v.x;
    residual[at] = first;
    let second = residual[at + 1u] + v.y;
    residual[at + 1u] = second;
    return pass_on(t, row, first) + pass_on(t, row + 1u, second);
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
    pass_on_squares(t, params.first_row + part_row, sum);
}
