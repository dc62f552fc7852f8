// What a head's sink adds to the sum of its weights, which are those of scores up to `highest` (Xiao et al. 2023,
// arXiv 2309.17453). Linked with lib/own_vector.wgsl.
fn sink_weight(head: u32, highest: f32) -> f32 {
    // Beyond 80 the exponential would leave f32; all else is 0 beside it there.
    return exp(min(own_vector(head) - highest, 80.0));
}
