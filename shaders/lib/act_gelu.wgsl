// What is made of what comes out of a projection: x·Φ(x), Φ the normal distribution (Hendrycks and Gimpel 2016, arXiv 1606.08415),
// by a polynomial that is off by 1.5e-7 at most (Abramowitz and Stegun 1964, 7.1.26).
fn activated(v: vec2<f32>) -> vec2<f32> {
    let size = abs(v);
    let t = 1.0 / (1.0 + 0.3275911 * 0.70710678 * size);
    let sum = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    // Beyond 80 the exponential would leave f32; it is 0 there.
    let tail = sum * exp(-min(0.5 * v * v, vec2<f32>(80.0)));
    return max(v, vec2<f32>(0.0)) - 0.5 * size * tail;
}
