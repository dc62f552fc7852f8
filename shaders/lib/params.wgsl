// What changes from dispatch to dispatch.

struct Params {
    first_row: u32, // output row of the matrix's row 0
    rows: u32,      // R, rows of the matrix
    grid_x: u32,    // workgroups in x, where rows need more than one line of them
    gain: u32,      // offset of the norm's gain in `vectors`, in vec4s
    eps: f32,       // added to the mean square
}

@group(0) @binding(4) var<uniform> params: Params;
