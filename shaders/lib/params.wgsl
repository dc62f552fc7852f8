// What changes from dispatch to dispatch.

struct Params {
    first_row: u32, // output row of the matrix's row 0
    rows: u32,      // R, rows of the matrix
    grid_x: u32,    // workgroups in x, where rows need more than one line of them
    gain: u32,      // offset in `vectors` of the gain of the norm that follows
    eps: f32,       // added to the mean square
    scale: f32,     // multiplies rows of a table, scores
    cap: f32,       // bounds scores, logits
    window: u32,    // how many positions a token sees
    part_row: u32,  // first row of the part, where rows are those of experts
    part_rows: u32, // its rows
    chunk: u32,     // a token sees no position before the last multiple of this
    heat: f32,      // how much more scores of late positions are multiplied by
    every: u32,     // positions with each of which that grows
    bias: u32,      // offset in `vectors` of a bias, or of a table
}

@group(0) @binding(4) var<uniform> params: Params;
