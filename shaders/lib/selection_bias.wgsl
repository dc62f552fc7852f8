// What is added to scores of experts where they are compared.
fn selection_bias(e: u32) -> f32 {
    return own_vector(e);
}
