// The experts that tokens use. Of those beyond the part of the matrix that is bound, nothing is computed.
@group(0) @binding(25) var<uniform> chosen: array<vec4<u32>, CHOSEN4>; // (T, USED, 2): number, bits of the score

fn chosen_at(t: u32, slot: u32) -> vec2<u32> {
    let at = t * USED + slot;
    let two = chosen[at / 2u];
    return select(two.xy, two.zw, at % 2u == 1u);
}

// Row of the part where the rows of an expert begin; beyond it for those of another part.
fn expert_at(t: u32, slot: u32) -> u32 {
    return chosen_at(t, slot).x * EXPERT_ROWS - params.part_row;
}
