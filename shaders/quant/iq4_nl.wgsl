// IQ4_NL: w = d·level[q], 32 weights a block; byte i of 16 holds q[i] and q[i + 16].
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS)
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, ⌈BLOCKS / 2⌉): d of two blocks as f16

const SCALES = 1u;
// -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.
const LEVELS = vec4<u32>(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

fn decode_ints(row: u32, block: u32) -> Ints {
    let q = quants[row * BLOCKS + block];
    let low = levels16(q, LEVELS);
    let high = levels16(q >> vec4<u32>(4u), LEVELS);
    let d = unpack2x16float(scales[row * ((BLOCKS + 1u) / 2u) + block / 2u])[block % 2u];
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 16 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 18u + 2u + word % 4u * 4u);
    }
    return raw_pair(row_at + word * 2u * 18u, 18u, word * 2u + 1u < BLOCKS);
}
