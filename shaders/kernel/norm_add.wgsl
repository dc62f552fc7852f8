// residual[t] += rmsnorm(x[t])   x (T, WIDTH) f32, residual (T, WIDTH) f32
// One workgroup → WORKGROUP units of UNIT adjacent elements of one token; each adds up all of the token's squares.
@group(0) @binding(6) var<storage, read> x: array<f32>; // (T, WIDTH)
@group(0) @binding(7) var<storage, read_write> residual: array<f32>; // (T, WIDTH)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.y;
    var square = 0.0;
    for (var d = lane; d < WIDTH; d += WORKGROUP) {
        let value = x[t * WIDTH + d];
        square += value * value;
    }
    let scale = inverseSqrt(sum_of_all(lane, square) / f32(WIDTH) + params.eps);
    let first = (group.x * WORKGROUP + lane) * UNIT;
    if (first >= WIDTH) {
        return;
    }
    var sum = 0.0;
    for (var d = first; d < first + UNIT; d++) {
        let at = t * WIDTH + d;
        let value = residual[at] + x[at] * scale * own_vector(d);
        residual[at] = value;
        sum += pass_on(t, d, value);
    }
    pass_on_squares(t, first, sum);
}
