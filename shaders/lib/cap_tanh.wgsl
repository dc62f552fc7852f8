// A bound on scores or logits: params.cap · tanh(x / params.cap).
fn capped(x: f32) -> f32 {
    return params.cap * tanh_of(x / params.cap);
}
