// What changes from dispatch to dispatch, and from step to step.

struct Params {
    first_row: u32, // output row of the matrix's row 0
    rows: u32,      // R, rows of the matrix
    grid_x: u32,    // workgroups in x, where rows need more than one line of them
    gain: u32,      // offset of the norm's gain in `vectors`, in vec4s
    eps: f32,       // added to the mean square
}

struct Step {
    position: u32,    // of the first token of this call
    tokens: u32,      // T
    capacity: u32,    // tokens that the KV cache has room for
    first_token: u32, // of those whose logits are wanted
}

@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> step: Step;
