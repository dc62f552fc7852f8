// residual[t] += rmsnorm(x[t])   x (T, WIDTH) f32, residual (T, WIDTH) f32
// One workgroup → WORKGROUP units of UNIT adjacent elements of one token; each adds up all of the token's squares.
@group(0) @binding(6) var<storage, read> x: array<f32>; // (T, WIDTH)
@group(0) @binding(7) var<storage, read_write> residual: array<f32>; // (T, WIDTH)

var<workgroup> squares: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let t = group.y;
    var square = 0.0;
    for (var d = lane; d < WIDTH; d += WORKGROUP) {
        let value = x[t * WIDTH + d];
        square += value * value;
    }
    squares[lane] = square;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if (lane < half) {
            squares[lane] += squares[lane + half];
        }
    }
    workgroupBarrier();
    let scale = inverseSqrt(squares[0] / f32(WIDTH) + params.eps);
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
