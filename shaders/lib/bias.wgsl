// What is added to rows `row` and row + 1 of a projection.
fn biased(row: u32, v: vec2<f32>) -> vec2<f32> {
    return v + vec2<f32>(own_vector(row), own_vector(row + 1u));
}
