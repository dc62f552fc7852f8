// out[t, h, r] = Σ_k W[h][r, k]·x[t, h, k]   W (H·R, K) planes or some of its heads, x (T, H, X_EACH) f32, out (T, H, OUT_EACH) f32
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // (T, H, OUT_EACH)

fn first_token() -> u32 {
    return 0u;
}

fn store_pair(part_row: u32, t: u32, v: vec2<f32>) -> f32 {
    let row = params.first_row + part_row;
    let at = t * WIDTH + row / HEAD_ROWS * OUT_EACH + row % HEAD_ROWS;
    out[at] = v.x;
    out[at + 1u] = v.y;
    return 0.0;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
}
