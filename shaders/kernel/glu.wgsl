// out[t, i] = gated(g, u) with (g, u) = W[2i, 2i + 1]·norm(x[t])   W (2F, D) planes, x (T, D) f32, out (T, F) f32
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // (T, WIDTH)

fn first_token() -> u32 {
    return 0u;
}

fn store_pair(row: u32, t: u32, v: vec2<f32>) -> f32 {
    out[t * WIDTH + (params.first_row + row) / 2u] = gated(v.x, v.y);
    return 0.0;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
}
