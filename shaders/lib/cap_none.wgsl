// No bound on scores or logits.
fn capped(x: f32) -> f32 {
    return x;
}
