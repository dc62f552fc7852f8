// No rotation.
fn turned(position: u32, d: u32, v: vec2<f32>) -> vec2<f32> {
    return v;
}
