// out[first + landing(i)] = element i of a vector of the file + offset
// One invocation → one element.

struct Params {
    raw_at: u32,   // byte of the first element in `raw`
    count: u32,    // elements to place
    skipped: u32,  // elements of its source in front of the first
    first: u32,    // where the source's first goes
    head_dim: u32, // of rotation pairs in halves; see lib/landing.wgsl
    rotated: u32,
    type_number: u32, // of an element; see lib/element.wgsl
    offset: f32,
    row_step: u32,    // 2 where two sources are interleaved element by element, else 1
    grid_x: u32,      // workgroups in x
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(7) var<storage, read_write> out: array<f32>; // all vectors

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let i = (group.y * params.grid_x + group.x) * WORKGROUP + lane;
    if (i >= params.count) {
        return;
    }
    let to = params.first + landing(params.skipped + i, params.head_dim, params.rotated) * params.row_step;
    out[to] = element(params.type_number, params.raw_at, i) + params.offset;
}
