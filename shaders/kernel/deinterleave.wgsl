// plain[i] = one 32-bit word of rows that stand alone, from rows that the file stores together, in groups
// One invocation → one word. It stands where the group's bytes stand in the file: both take as many.

struct Params {
    raw_at: u32,      // byte of the first group in `raw`, a multiple of 4
    words: u32,       // of all groups
    group_bytes: u32, // of a group in the file
    row_bytes: u32,   // of a row that stands alone
    rows: u32,        // of a group
    head_bytes: u32,  // in front of a row's blocks; a group begins with those of its rows
    block_bytes: u32, // of a block of a row
    grid_x: u32,      // workgroups in x
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read> sources: array<u32>; // (rows, bits of a block): two bits of a block of all rows
@group(0) @binding(7) var<storage, read_write> plain: array<u32>; // as many as in `raw`

// Half of a source that is no bit.
const NONE = 0xffffu;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let word = (group.x + group.y * params.grid_x) * WORKGROUP + lane;
    if (word >= params.words) {
        return;
    }
    var value = 0u;
    for (var n = 0u; n < 4u; n++) {
        value |= plain_byte(word * 4u + n) << (n * 8u);
    }
    plain[params.raw_at / 4u + word] = value;
}

fn plain_byte(at: u32) -> u32 {
    let group_at = params.raw_at + at / params.group_bytes * params.group_bytes;
    let row = at % params.group_bytes / params.row_bytes;
    let byte = at % params.group_bytes % params.row_bytes;
    if (byte < params.head_bytes) {
        return raw_u16(group_at + row * params.head_bytes + byte) & 0xffu;
    }
    let block = (byte - params.head_bytes) / params.block_bytes;
    let block_at = group_at + params.rows * (params.head_bytes + block * params.block_bytes);
    let first = (row * params.block_bytes + (byte - params.head_bytes) % params.block_bytes) * 8u;
    var value = 0u;
    for (var bit = 0u; bit < 8u; bit++) {
        let source = sources[first + bit];
        value |= (bit_of(block_at, source & 0xffffu) ^ bit_of(block_at, source >> 16u)) << bit;
    }
    return value;
}

fn bit_of(at: u32, bit: u32) -> u32 {
    if (bit == NONE) {
        return 0u;
    }
    return (raw_u16(at + bit / 8u) >> (bit % 8u)) & 1u;
}
