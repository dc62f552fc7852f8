// What is added to rows of experts; in `vectors`, those of all experts begin at `params.bias`.
// Linked with lib/vectors.wgsl and lib/chosen.wgsl.
fn expert_bias(expert: u32, row: u32) -> vec2<f32> {
    let at = params.bias + expert * EXPERT_ROWS + row;
    return vec2<f32>(vector_at(at), vector_at(at + 1u));
}

// To rows `row` and row + 1 of one that token t uses.
fn bias_of_slot(t: u32, slot: u32, row: u32) -> vec2<f32> {
    return expert_bias(chosen_at(t, slot).x, row);
}

// To the sum of all of them that are of the part, each times its score.
fn bias_of_sum(t: u32, row: u32) -> vec2<f32> {
    var sum = vec2<f32>(0.0);
    for (var slot = 0u; slot < USED; slot++) {
        if (expert_at(t, slot) < params.part_rows) {
            let chosen = chosen_at(t, slot);
            sum += bitcast<f32>(chosen.y) * expert_bias(chosen.x, row);
        }
    }
    return sum;
}
