// A block's inputs, and their products with its weights.

// Sums of more than four products are f32.
fn dot32(w: array<real4, 8>, v: array<real4, 8>) -> f32 {
    return f32(dot(w[0], v[0])) + f32(dot(w[1], v[1])) + f32(dot(w[2], v[2])) + f32(dot(w[3], v[3]))
        + f32(dot(w[4], v[4])) + f32(dot(w[5], v[5])) + f32(dot(w[6], v[6])) + f32(dot(w[7], v[7]));
}

// The inputs of a block, behind the norm.
fn input32(t: u32, block: u32, scale: f32) -> array<real4, 8> {
    let at = block * 8u;
    return array<real4, 8>(
        real4(input4(t, at) * scale), real4(input4(t, at + 1u) * scale),
        real4(input4(t, at + 2u) * scale), real4(input4(t, at + 3u) * scale),
        real4(input4(t, at + 4u) * scale), real4(input4(t, at + 5u) * scale),
        real4(input4(t, at + 6u) * scale), real4(input4(t, at + 7u) * scale),
    );
}
