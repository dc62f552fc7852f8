// What comes out of a projection stays as it is.
fn activated(v: vec2<f32>) -> vec2<f32> {
    return v;
}
