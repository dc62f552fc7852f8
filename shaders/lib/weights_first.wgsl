// A block of a unit of rows: the weights of all its rows are kept, and each token's inputs go over them. For several tokens:
// they are more than the rows, and would take more registers.

// As in lib/inputs_first.wgsl.
fn add_block(row: u32, t0: u32, last: u32, block: u32, scale: array<f32, TOKENS>, sum: ptr<function, Sums>) {
    var w: array<array<real4, 8>, UNIT>;
    for (var r = 0u; r < UNIT; r++) {
        w[r] = decode_block(row + r, block);
    }
    for (var t = 0u; t < TOKENS; t++) {
        let from_t = min(t0 + t, last);
        let factor = scale[t];
        for (var k4 = 0u; k4 < 8u; k4++) {
            let x = real4(input4(from_t, block * 8u + k4) * factor);
            for (var r = 0u; r < UNIT; r++) {
                (*sum)[r][t] += f32(dot(w[r][k4], x));
            }
        }
    }
}
