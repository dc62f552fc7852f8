// out[t] = (x[t] - mean) / √(variance + eps)·gain + bias   x (T, WIDTH) f32, gain and bias (WIDTH,) f32 in `vectors`, out (T, WIDTH)
// f32, or of the tokens that it is wanted of
// One workgroup → one token (Ba et al. 2016, arXiv 1607.06450).
@group(0) @binding(6) var<storage, read> x: array<f32>; // (T, WIDTH)
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // (T, WIDTH)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let first = select(0u, step.first_token, IS_LAST == 1u);
    let row = (first + group.y) * WIDTH;
    var sum = 0.0;
    for (var d = lane; d < WIDTH; d += WORKGROUP) {
        sum += x[row + d];
    }
    let mean = sum_of_all(lane, sum) / f32(WIDTH);
    // All have read the sum before it is another one.
    workgroupBarrier();
    var square = 0.0;
    for (var d = lane; d < WIDTH; d += WORKGROUP) {
        let off = x[row + d] - mean;
        square += off * off;
    }
    let scale = inverseSqrt(sum_of_all(lane, square) / f32(WIDTH) + params.eps);
    for (var d = lane; d < WIDTH; d += WORKGROUP) {
        let value = (x[row + d] - mean) * scale;
        out[group.y * WIDTH + d] = value * vector_at(params.gain + d) + vector_at(params.bias + d);
    }
}
