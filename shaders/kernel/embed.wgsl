// out[t] = table[ids[t]]   table (V, D) planes or some of its rows, ids (T,) u32, out (T, D) f32
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
    for (var j = 0u; j < 8u; j++) {
        out[index * 8u + j] = vec4<f32>(w[j]);
    }
}
