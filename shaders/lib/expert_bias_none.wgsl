// Nothing is added to rows of experts.
fn bias_of_slot(t: u32, slot: u32, row: u32) -> vec2<f32> {
    return vec2<f32>(0.0);
}

fn bias_of_sum(t: u32, row: u32) -> vec2<f32> {
    return vec2<f32>(0.0);
}
