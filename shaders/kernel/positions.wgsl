// residual[t] += table[position + t] + shift   table (S, WIDTH) f32 in `vectors`, shift (WIDTH,) f32, residual (T, WIDTH) f32
// Without a table (TABLE = 0) the shift alone. One workgroup → WORKGROUP elements of one token.
@group(0) @binding(7) var<storage, read_write> residual: array<f32>; // (T, WIDTH)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let d = group.x * WORKGROUP + lane;
    if (d >= WIDTH) {
        return;
    }
    var added = own_vector(d);
    if (TABLE == 1u) {
        added += vector_at(params.bias + position_of(group.y) * WIDTH + d);
    }
    residual[group.y * WIDTH + d] += added;
}
