// What changes from step to step. The sampler moves it on, so that the next step needs nothing from the CPU.

struct Step {
    position: u32,    // of the first token of this call
    tokens: u32,      // T
    capacity: u32,    // tokens that the KV cache has room for
    first_token: u32, // of those whose logits are wanted
    drawn: u32,       // tokens that were sampled for this answer
    first_row: u32,   // of the KV cache: where the conversation begins
}

@group(0) @binding(5) var<uniform> step: Step;
