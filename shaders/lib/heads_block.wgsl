// A block of a unit of rows of a head, whose inputs are its own. Linked with lib/dot32.wgsl.

// As in lib/inputs_first.wgsl.
fn add_block(row: u32, t0: u32, last: u32, block: u32, scale: array<f32, TOKENS>, sum: ptr<function, Sums>) {
    let head = (params.first_row + row) / HEAD_ROWS;
    for (var t = 0u; t < TOKENS; t++) {
        let at = (min(t0 + t, last) * X_HEADS + head) * (X_EACH / 4u) + block * 8u;
        let v = array<real4, 8>(
            real4(x[at]), real4(x[at + 1u]), real4(x[at + 2u]), real4(x[at + 3u]),
            real4(x[at + 4u]), real4(x[at + 5u]), real4(x[at + 6u]), real4(x[at + 7u]),
        );
        for (var r = 0u; r < UNIT; r++) {
            (*sum)[r][t] += dot32(decode_block(row + r, block), v);
        }
    }
}
