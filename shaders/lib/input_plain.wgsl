// A projection's input as it is.
@group(0) @binding(6) var<storage, read> x: array<vec4<f32>>; // (T, K)

// Vec4s of partial sums of squares that a token's input comes with.
const SQUARES4 = 0u;

fn input4(t: u32, k4: u32) -> vec4<f32> {
    // Behind a row that is no whole number of blocks stands something else.
    if (COLS % 32u != 0u && k4 >= COLS / 4u) {
        return vec4<f32>(0.0);
    }
    return x[t * (COLS / 4u) + k4];
}

fn input_square(t: u32, i: u32) -> f32 {
    return 0.0;
}

fn input_scale(sum: f32) -> f32 {
    return 1.0;
}
