// What comes through a gate: u·x·Φ(x), by tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415).
fn gated(x: f32, u: f32) -> f32 {
    return 0.5 * x * (1.0 + tanh_of(0.7978845608 * (x + 0.044715 * x * x * x))) * u;
}
