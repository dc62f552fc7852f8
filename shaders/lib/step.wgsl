// What changes from step to step. The sampler moves it on, so that the next step needs nothing from the CPU.

// A conversation.
struct Seat {
    position: u32,  // of its first token of this call
    first_row: u32, // of the KV cache: where it begins
    drawn: u32,     // tokens that were sampled for its answer
    padding: u32,
}

struct Step {
    tokens: u32,      // T
    capacity: u32,    // tokens that the KV cache has room for
    first_token: u32, // of those whose logits are wanted
    together: u32,    // 1: token t is seat t's; 0: all tokens are seat 0's, one behind the other
    seats: array<Seat, 8>,
}

@group(0) @binding(5) var<uniform> step: Step;

// Whose token t is.
fn seat_of(t: u32) -> u32 {
    return select(0u, t, step.together == 1u);
}

// Its position in the conversation.
fn position_of(t: u32) -> u32 {
    let seat = seat_of(t);
    return step.seats[seat].position + t - seat;
}

// Row of the KV cache where the conversation begins.
fn first_row_of(t: u32) -> u32 {
    return step.seats[seat_of(t)].first_row;
}
