// logits[t - first_token, r] = cap(W[r]·rmsnorm(x[t]))   W (V, D) planes, x (T, D) f32, logits (T - first_token, V) f32
@group(0) @binding(7) var<storage, read_write> logits: array<f32>; // (T - first_token, WIDTH)

fn first_token() -> u32 {
    return step.first_token;
}

fn store_pair(row: u32, t: u32, v: vec2<f32>) -> f32 {
    let at = (t - step.first_token) * WIDTH + params.first_row + row;
    logits[at] = capped(v.x);
    if (row + 1u < params.rows) {
        logits[at + 1u] = capped(v.y);
    }
    return 0.0;
}

fn store_squares(part_row: u32, t: u32, sum: f32) {
}
