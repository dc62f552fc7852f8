// planes[row, word] = one 32-bit word of a plane, from the file's bytes; row i lands on first_row + landing(i)·row_step
// One invocation → one word: whole words only, so that no two invocations meet. Rows of other parts are left out.

struct Params {
    raw_at: u32,     // byte of the first row in `raw`
    row_bytes: u32,  // of a row in the file
    rows: u32,       // rows to repack
    skipped: u32,    // rows of its source in front of the first
    first_row: u32,  // matrix row where the source's first lands
    row_step: u32,   // 2 where two sources are interleaved
    head_dim: u32,   // of rotation pairs in halves; see lib/landing.wgsl
    rotated: u32,
    part_row: u32,   // the part's first row
    part_rows: u32,
    plane: u32,      // which plane
    row_words: u32,  // words of a row in this plane
    used_words: u32, // of which so many hold blocks
    grid_x: u32,     // workgroups in x
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read_write> plane_words: array<u32>; // (R of the part, row_words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = (group.x + group.y * params.grid_x) * WORKGROUP + lane;
    let i = index / params.used_words;
    let word = index % params.used_words;
    let to = params.first_row + landing(params.skipped + i, params.head_dim, params.rotated) * params.row_step;
    // One below the part is a huge number.
    let row = to - params.part_row;
    if (i >= params.rows || row >= params.part_rows) {
        return;
    }
    let value = repack_word(params.raw_at + i * params.row_bytes, params.plane, word);
    plane_words[row * params.row_words + word] = value;
}
