// NVFP4: w = d·value[q], 64 weights in 2 runs of 32; d, a float E4M3, for each 16; byte i of 8 holds q[i] and q[i + 8].
// To decode_ints a run is a block: BLOCKS / 2 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS)
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS / 2): d of each 16

const SCALES = 2u;
// Twice the values: 0, 1, 2, 3, 4, 6, 8, 12, and the same less than 0.
const LEVELS = vec4<u32>(0x03020100u, 0x0c080604u, 0xfdfeff00u, 0xf4f8fafcu);

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let low = levels16(q, LEVELS);
    let high = levels16(q >> vec4<u32>(4u), LEVELS);
    let both = scales[at / 2u] >> (block % 2u * 16u);
    return Ints(
        array<u32, 8>(low.x, low.y, high.x, high.y, low.z, low.w, high.z, high.w),
        vec2<f32>(half_of(both & 0xffu), half_of((both >> 8u) & 0xffu)),
        vec2<f32>(0.0),
    );
}

// Half of what a float is that has no sign, 4 bits of exponent and 3 of mantissa; 0 for its one NaN.
fn half_of(bits: u32) -> f32 {
    let exponent = (bits >> 3u) & 15u;
    let mantissa = bits & 7u;
    if (exponent == 0u || bits == 0x7fu) {
        return select(f32(mantissa) / 1024.0, 0.0, exponent > 0u);
    }
    return bitcast<f32>(((exponent + 119u) << 23u) | (mantissa << 20u));
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: 4 bytes of d, 32 of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 8u * 36u + 4u + word % 8u * 4u);
    }
    return raw_u32(row_at + word * 36u);
}
