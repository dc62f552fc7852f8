// What comes through a gate: 1 more than u, which is -7 to 7, times x·sigmoid(1.702·x) of x up to 7 (OpenAI 2025, arXiv
// 2508.10925).
fn gated(x: f32, u: f32) -> f32 {
    let g = min(x, 7.0);
    // Beyond 80 the exponential would leave f32; the product is 0 there.
    return g / (1.0 + exp(min(-1.702 * g, 80.0))) * (clamp(u, -7.0, 7.0) + 1.0);
}
