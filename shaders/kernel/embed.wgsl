// out[t] = scale·table[ids[t]]   table (V, D) planes or some of its rows, ids (T,) u32, out (T, D) f32
// One invocation → one block of 32 of one token. Rows of another part are left to its dispatch.
@group(0) @binding(7) var<storage, read_write> out: array<vec4<f32>>; // (T, D)
@group(0) @binding(11) var<storage, read> ids: array<u32>; // (T,)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = group.x * WORKGROUP + lane;
    let t = index / BLOCKS;
    let block = index % BLOCKS;
    if (t >= step.tokens) {
        return;
    }
    let id = ids[t];
    if (id < params.first_row || id - params.first_row >= params.rows) {
        return;
    }
    let w = decode_block(id - params.first_row, block);
    var square = 0.0;
    // The last block of a row may have fewer.
    for (var j = 0u; j < min(8u, (COLS - block * 32u) / 4u); j++) {
        let v = vec4<f32>(w[j]) * params.scale;
        out[t * (COLS / 4u) + block * 8u + j] = v;
        let d = block * 32u + j * 4u;
        for (var i = 0u; i < 4u; i++) {
            square += pass_on(t, d + i, v[i]);
        }
        if ((d + 4u) % UNIT == 0u) {
            pass_on_squares(t, d + 4u - UNIT, square);
            square = 0.0;
        }
    }
}
