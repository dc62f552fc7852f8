// Nothing is added to a projection.
fn biased(row: u32, v: vec2<f32>) -> vec2<f32> {
    return v;
}
