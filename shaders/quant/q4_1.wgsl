// Q4_1: w = d·q + m, 32 weights a block; byte i of 16 holds q[i] and q[i + 16].
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS)
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS): d, m as f16

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let h = q >> vec4<u32>(4u);
    let scale = unpack2x16float(scales[at]);
    let d = real(scale.x);
    let m = real4(real(scale.y));
    return array<real4, 8>(
        d * nibbles(q.x) + m, d * nibbles(q.y) + m, d * nibbles(q.z) + m, d * nibbles(q.w) + m,
        d * nibbles(h.x) + m, d * nibbles(h.y) + m, d * nibbles(h.z) + m, d * nibbles(h.w) + m,
    );
}

fn nibbles(word: u32) -> real4 {
    return real4(unpack4xU8(word & 0x0f0f0f0fu));
}

// File: d f16, m f16, 16 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 20u + 4u + word % 4u * 4u);
    }
    return raw_u32(row_at + word * 20u);
}
