// What opens a gate: x·sigmoid(x).
fn gate(x: f32) -> f32 {
    // Beyond 80 the exponential would leave f32; silu is 0 there.
    return x / (1.0 + exp(min(-x, 80.0)));
}
