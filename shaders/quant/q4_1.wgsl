// Q4_1: w = d·q + m, 32 weights a block; byte i of 16 holds q[i] and q[i + 16].
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS)
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS): d, m as f16

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let low = q & vec4<u32>(0x0f0f0f0fu);
    let high = (q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
    let range = unpack2x16float(scales[at]);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        range.xx,
        -range.yy,
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: d f16, m f16, 16 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 20u + 4u + word % 4u * 4u);
    }
    return raw_u32(row_at + word * 20u);
}
