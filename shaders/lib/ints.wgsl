// A block's 32 weights as a format packs them: w = scale·q − low, with q a whole number that a signed byte holds.
// A file of quant/ that has such defines `decode_ints`, `floats` of a word of q, and SCALES: 1 where both halves of a block
// have the same scale and low, else 2. The other files define `decode_block` themselves.

struct Ints {
    q: array<u32, 8>,  // (32,) bytes, four a word
    scale: vec2<f32>,  // of the first 16 weights, and of the others
    low: vec2<f32>,
}

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let ints = decode_ints(row, block);
    let d0 = real(ints.scale.x);
    let d1 = real(ints.scale.y);
    let m0 = real4(real(ints.low.x));
    let m1 = real4(real(ints.low.y));
    return array<real4, 8>(
        d0 * floats(ints.q[0]) - m0, d0 * floats(ints.q[1]) - m0,
        d0 * floats(ints.q[2]) - m0, d0 * floats(ints.q[3]) - m0,
        d1 * floats(ints.q[4]) - m1, d1 * floats(ints.q[5]) - m1,
        d1 * floats(ints.q[6]) - m1, d1 * floats(ints.q[7]) - m1,
    );
}
