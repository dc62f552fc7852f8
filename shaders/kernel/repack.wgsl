// planes[row, word] = one 32-bit word of a plane, from the file's bytes; rows land first_row + i·row_step
// One invocation → one word: whole words only, so that no two invocations meet.

struct Params {
    raw_at: u32,    // byte of the first row in `raw`
    row_bytes: u32, // of a row in the file
    rows: u32,      // rows to repack
    first_row: u32, // where the first lands
    row_step: u32,  // 2 where two tensors are interleaved
    plane: u32,     // which plane
    row_words: u32, // words of a row in this plane
    used_words: u32, // of which so many hold blocks
    grid_x: u32,    // workgroups in x
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read_write> plane_words: array<u32>; // (R of the part, row_words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = (group.x + group.y * params.grid_x) * WORKGROUP + lane;
    let row = index / params.used_words;
    let word = index % params.used_words;
    if (row >= params.rows) {
        return;
    }
    let value = repack_word(params.raw_at + row * params.row_bytes, params.plane, word);
    plane_words[(params.first_row + row * params.row_step) * params.row_words + word] = value;
}
