// out[t, r] = activated(Σ_k W[r, k]·norm(x[t])[k] + bias[r])   W (R, K) planes, x (T, K) f32, out (T, WIDTH) f32
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // (T, WIDTH)

fn first_token() -> u32 {
    return 0u;
}

fn store_pair(part_row: u32, t: u32, product: vec2<f32>) -> f32 {
    let row = params.first_row + part_row;
    let v = activated(biased(row, product));
    let at = t * WIDTH + row;
    out[at] = v.x;
    var square = pass_on(t, row, v.x);
    if (part_row + 1u < params.rows) {
        out[at + 1u] = v.y;
        square += pass_on(t, row + 1u, v.y);
    }
    return square;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
    pass_on_squares(t, params.first_row + part_row, sum);
}
