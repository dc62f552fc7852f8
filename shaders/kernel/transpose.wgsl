// planes[row, n] = element row of the file's row n, where it has the columns of a matrix as rows
// One invocation → one word: an f32, or the elements of two neighbouring columns. Rows of other parts are left out.

struct Params {
    raw_at: u32,      // byte of the first row in `raw`
    there: u32,       // the tensor's row that stands there
    rows: u32,        // rows of the tensor that are there
    width: u32,       // elements of one
    first: u32,       // of which the first is the first row of the matrix
    group_rows: u32,  // rows of the tensor for an expert, or a head
    cols: u32,        // of which so many are columns
    out_rows: u32,    // rows of the matrix for an expert, or a head
    first_row: u32,   // matrix row where the source's first lands
    row_step: u32,    // 2 where two sources are interleaved
    part_row: u32,    // the part's first row
    part_rows: u32,
    row_words: u32,   // words of a row in the plane
    value_bytes: u32, // of an element: 4, or 2
    grid_x: u32,      // workgroups in x
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read_write> plane_words: array<u32>; // (R of the part, row_words)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let index = (group.x + group.y * params.grid_x) * WORKGROUP + lane;
    // Neighbours read neighbours.
    let r = index % params.out_rows;
    let i = index / params.out_rows;
    let tensor_row = params.there + i;
    let n = tensor_row % params.group_rows;
    let to = params.first_row + (tensor_row / params.group_rows * params.out_rows + r) * params.row_step;
    // One below the part is a huge number.
    let row = to - params.part_row;
    if (i >= params.rows || n >= params.cols || row >= params.part_rows) {
        return;
    }
    let at = params.raw_at + (i * params.width + params.first + r) * params.value_bytes;
    if (params.value_bytes == 4u) {
        plane_words[row * params.row_words + n] = raw_u32(at);
        return;
    }
    let word = row * params.row_words + n / 2u;
    let half = raw_u16(at);
    if (n % 2u == 1u) {
        // Where the one before is there too, it writes both.
        if (i == 0u) {
            plane_words[word] = (plane_words[word] & 0xffffu) | (half << 16u);
        }
        return;
    }
    if (i + 1u < params.rows) {
        plane_words[word] = half | (raw_u16(at + params.width * 2u) << 16u);
        return;
    }
    plane_words[word] = (plane_words[word] & 0xffff0000u) | half;
}
