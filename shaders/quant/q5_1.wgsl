// Q5_1: w = d·q + m, 32 weights a block.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, q[i] and q[i + 16] in byte i
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): fifth bits, as raw_spread lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS): d, m as f16

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let h = q >> vec4<u32>(4u);
    let high = highs[at];
    let scale = unpack2x16float(scales[at]);
    let d = real(scale.x);
    let m = real4(real(scale.y));
    return array<real4, 8>(
        d * five(q.x, high) + m, d * five(q.y, high >> 1u) + m,
        d * five(q.z, high >> 2u) + m, d * five(q.w, high >> 3u) + m,
        d * five(h.x, high >> 4u) + m, d * five(h.y, high >> 5u) + m,
        d * five(h.z, high >> 6u) + m, d * five(h.w, high >> 7u) + m,
    );
}

fn five(low: u32, high: u32) -> real4 {
    return real4(unpack4xU8((low & 0x0f0f0f0fu) | ((high & 0x01010101u) << 4u)));
}

// File: d f16, m f16, fifth bits (bit i of q[i]), 16 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 24u + 8u + word % 4u * 4u);
    }
    if (plane == 1u) {
        return raw_spread(raw_u32(row_at + word * 24u + 4u));
    }
    return raw_u32(row_at + word * 24u);
}
