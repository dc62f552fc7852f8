// What is written to the residual stream is read as it is, through no norm.
fn pass_on(t: u32, row: u32, value: f32) -> f32 {
    return 0.0;
}

fn pass_on_squares(t: u32, row: u32, sum: f32) {
}
