// up[t] = gated(x[t], up[t])   x (T, WIDTH) f32, up (T, WIDTH) f32
// One workgroup → WORKGROUP elements of one token.
@group(0) @binding(6) var<storage, read> x: array<f32>; // (T, WIDTH)
@group(0) @binding(7) var<storage, read_write> up: array<f32>; // (T, WIDTH)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let d = group.x * WORKGROUP + lane;
    if (d >= WIDTH) {
        return;
    }
    let i = group.y * WIDTH + d;
    up[i] = gated(x[i], up[i]);
}
