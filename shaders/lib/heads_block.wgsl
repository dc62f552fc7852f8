// A block of a unit of rows of a head, whose inputs are its own. Linked with lib/dot32.wgsl.

// As in lib/inputs_first.wgsl.
fn add_block(row: u32, t0: u32, last: u32, block: u32, scale: array<f32, TOKENS>, sum: ptr<function, Sums>) {
    let head = (params.first_row + row) / HEAD_ROWS;
    for (var t = 0u; t < TOKENS; t++) {
        let row_at = (min(t0 + t, last) * X_HEADS + head) * (X_EACH / 4u);
        let k4 = block * 8u;
        let v = array<real4, 8>(
            head4(row_at, k4), head4(row_at, k4 + 1u), head4(row_at, k4 + 2u), head4(row_at, k4 + 3u),
            head4(row_at, k4 + 4u), head4(row_at, k4 + 5u), head4(row_at, k4 + 6u), head4(row_at, k4 + 7u),
        );
        for (var r = 0u; r < UNIT; r++) {
            (*sum)[r][t] += dot32(decode_block(row + r, block), v);
        }
    }
}

fn head4(row_at: u32, k4: u32) -> real4 {
    if (COLS % 32u != 0u && k4 >= COLS / 4u) {
        return real4(0.0);
    }
    return real4(x[row_at + k4]);
}
