// A projection's input behind RMSNorm: x·gain·scale, scale = 1 / √(mean(x²) + eps).
@group(0) @binding(6) var<storage, read> x: array<vec4<f32>>; // (T, K)
@group(0) @binding(8) var<storage, read> vectors: array<vec4<f32>>; // gains of all norms

const NORMED = true;

fn input4(t: u32, k4: u32) -> vec4<f32> {
    return x[t * (COLS / 4u) + k4] * vectors[params.gain + k4];
}

fn input_square(t: u32, k4: u32) -> f32 {
    let v = x[t * (COLS / 4u) + k4];
    return dot(v, v);
}

fn input_scale(sum: f32) -> f32 {
    return inverseSqrt(sum / f32(COLS) + params.eps);
}
