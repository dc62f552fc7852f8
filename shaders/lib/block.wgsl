// Products of a block of 32 weights and its inputs; sums of more than four of them are f32.
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

// Sums of a unit: rows `row` to row + UNIT, of each of TOKENS tokens.
alias Sums = array<array<f32, TOKENS>, UNIT>;

// Stores what a unit has summed for the tokens at t0 and on, as far as there are rows and tokens.
fn store_unit(row: u32, t0: u32, sum: ptr<function, Sums>) {
    for (var t = 0u; t < TOKENS; t++) {
        if (t0 + t < step.tokens) {
            var square = 0.0;
            for (var r = 0u; r < UNIT; r += 2u) {
                if (row + r < params.rows) {
                    square += store_pair(row + r, t0 + t, vec2<f32>((*sum)[r][t], (*sum)[r + 1u][t]));
                }
            }
            store_squares(row, t0 + t, square);
        }
    }
}
