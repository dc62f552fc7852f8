// A block of a unit of rows of an expert, for one token. Linked with lib/dot32.wgsl and a kernel that knows whose rows they
// are: `expert_row`, `expert_block`.

// As in lib/inputs_first.wgsl.
fn add_block(row: u32, t0: u32, last: u32, block: u32, scale: array<f32, TOKENS>, sum: ptr<function, Sums>) {
    let at = expert_row(t0, row, block);
    if (at >= params.part_rows) {
        return;
    }
    let v = input32(t0, block, scale[0]);
    for (var r = 0u; r < UNIT; r++) {
        (*sum)[r][0] += dot32(decode_block(at + r, expert_block(block)), v);
    }
}
