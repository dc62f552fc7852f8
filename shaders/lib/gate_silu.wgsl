// What comes through a gate: u·x·sigmoid(x).
fn gated(x: f32, u: f32) -> f32 {
    // Beyond 80 the exponential would leave f32; silu is 0 there.
    return x / (1.0 + exp(min(-x, 80.0))) * u;
}
