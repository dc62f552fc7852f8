// What is written to the residual stream, made ready for the norm that follows (lib/input_norm.wgsl).
// Linked with lib/vectors.wgsl.
@group(0) @binding(20) var<storage, read_write> normed: array<f32>; // (T, D + D / UNIT): x·gain, sums of x²

const OUT_STRIDE = WIDTH + (WIDTH / UNIT + 3u) / 4u * 4u;

// Element `row` of token t is `value`; its square.
fn pass_on(t: u32, row: u32, value: f32) -> f32 {
    normed[t * OUT_STRIDE + row] = value * vector_at(params.gain + row);
    return value * value;
}

// The squares of elements row to row + UNIT add up to `sum`.
fn pass_on_squares(t: u32, row: u32, sum: f32) {
    normed[t * OUT_STRIDE + WIDTH + row / UNIT] = sum;
}
