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
