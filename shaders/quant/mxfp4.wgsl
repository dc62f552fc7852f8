// MXFP4: w = 2^(e − 127)·value[q], 32 weights a block; byte i of 16 holds q[i] and q[i + 16].
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS)
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, ⌈BLOCKS / 4⌉): e of four blocks

const SCALES = 1u;
// Twice the values: 0, 1, 2, 3, 4, 6, 8, 12, and the same less than 0.
const LEVELS = vec4<u32>(0x03020100u, 0x0c080604u, 0xfdfeff00u, 0xf4f8fafcu);

fn decode_ints(row: u32, block: u32) -> Ints {
    let q = quants[row * BLOCKS + block];
    let low = levels16(q, LEVELS);
    let high = levels16(q >> vec4<u32>(4u), LEVELS);
    let e = (scales[row * ((BLOCKS + 3u) / 4u) + block / 4u] >> (block % 4u * 8u)) & 0xffu;
    let d = bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << (e & 1u), e < 2u));
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: e, 16 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 17u + 1u + word % 4u * 4u);
    }
    var four = 0u;
    for (var n = 0u; n < 4u && word * 4u + n < BLOCKS; n++) {
        four |= (raw_u16(row_at + (word * 4u + n) * 17u) & 0xffu) << (n * 8u);
    }
    return four;
}
