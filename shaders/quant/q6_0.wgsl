// Q6_0: w = d·(q − 32), 32 weights a block.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, q[i] and q[i + 16] in byte i
@group(0) @binding(1) var<storage, read> highs: array<vec2<u32>>; // (R, BLOCKS): top 2 bits; byte i: q[i], q[i + 16], q[i + 8], q[i + 24]
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, ⌈BLOCKS / 2⌉): d of two blocks as f16

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let tops = highs[at].xyxy >> vec4<u32>(0u, 0u, 4u, 4u);
    let low = (q & vec4<u32>(0x0f0f0f0fu)) | ((tops & vec4<u32>(0x03030303u)) << vec4<u32>(4u));
    let high = ((q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu)) | ((tops & vec4<u32>(0x0c0c0c0cu)) << vec4<u32>(2u));
    let d = unpack2x16float(scales[row * ((BLOCKS + 1u) / 2u) + block / 2u])[block % 2u];
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(32.0 * d),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: d f16, 8 bytes of top bits, 16 of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 26u + 10u + word % 4u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 2u * 26u + 2u + word % 2u * 4u);
    }
    return raw_pair(row_at + word * 2u * 26u, 26u, word * 2u + 1u < BLOCKS);
}
