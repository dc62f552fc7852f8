// A projection's input behind RMSNorm: x·gain·scale, scale = 1 / √(mean(x²) + eps). Whoever wrote x has multiplied it by
// the gain, and added up the squares of each UNIT elements (lib/output_norm.wgsl); the scale is left to do.
@group(0) @binding(6) var<storage, read> x: array<vec4<f32>>; // (T, K + K / UNIT): x·gain, sums of x²

// Vec4s of partial sums of squares that a token's input comes with.
const SQUARES4 = (COLS / UNIT + 3u) / 4u;
const STRIDE4 = COLS / 4u + SQUARES4;

fn input4(t: u32, k4: u32) -> vec4<f32> {
    // Behind a row that is no whole number of blocks stands something else.
    if (COLS % 32u != 0u && k4 >= COLS / 4u) {
        return vec4<f32>(0.0);
    }
    return x[t * STRIDE4 + k4];
}

fn input_square(t: u32, i: u32) -> f32 {
    return dot(x[t * STRIDE4 + COLS / 4u + i], vec4<f32>(1.0));
}

fn input_scale(sum: f32) -> f32 {
    return inverseSqrt(sum / f32(COLS) + params.eps);
}
