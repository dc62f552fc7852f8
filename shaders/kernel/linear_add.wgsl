// residual[t, r] += Σ_k W[r, k]·x[t, k]   W (R, K) planes, x (T, K) f32, residual (T, WIDTH) f32
@group(0) @binding(7) var<storage, read_write> residual: array<f32>; // (T, WIDTH)

fn first_token() -> u32 {
    return 0u;
}

fn store_pair(row: u32, t: u32, v: vec2<f32>) {
    let at = t * WIDTH + params.first_row + row;
    residual[at] += v.x;
    if (row + 1u < params.rows) {
        residual[at + 1u] += v.y;
    }
}
