// A block of a unit of rows: the inputs of all its tokens are kept, and each row's weights go over them. For one token; and
// where a word that is loaded costs more than registers. Linked with lib/dot32.wgsl.

// Adds the products of a block of rows row .. row + UNIT to the sums of tokens t0 and on; `last` is the last token that
// there is, `scale` what norms do to their inputs.
fn add_block(row: u32, t0: u32, last: u32, block: u32, scale: array<f32, TOKENS>, sum: ptr<function, Sums>) {
    var v: array<array<real4, 8>, TOKENS>;
    for (var t = 0u; t < TOKENS; t++) {
        v[t] = input32(min(t0 + t, last), block, scale[t]);
    }
    for (var r = 0u; r < UNIT; r++) {
        let w = decode_block(row + r, block);
        for (var t = 0u; t < TOKENS; t++) {
            (*sum)[r][t] += dot32(w, v[t]);
        }
    }
}
