// tanh without overflow: a browser's own may divide infinities.
fn tanh_of(x: f32) -> f32 {
    let a = abs(x);
    let e = exp(-2.0 * a);
    let square = x * x;
    // Near 0 the difference from 1 would lose digits.
    let near = a * (1.0 - square * (1.0 / 3.0 - square * (2.0 / 15.0)));
    return sign(x) * select((1.0 - e) / (1.0 + e), near, a < 0.1);
}
