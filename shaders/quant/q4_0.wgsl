// Q4_0: w = d·(q − 8), 32 weights a block; byte i of 16 holds q[i] and q[i + 16].
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS)
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, ⌈BLOCKS / 2⌉): d of two blocks as f16

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let q = quants[row * BLOCKS + block];
    let h = q >> vec4<u32>(4u);
    let d = real(unpack2x16float(scales[row * ((BLOCKS + 1u) / 2u) + block / 2u])[block % 2u]);
    return array<real4, 8>(
        d * centred(q.x), d * centred(q.y), d * centred(q.z), d * centred(q.w),
        d * centred(h.x), d * centred(h.y), d * centred(h.z), d * centred(h.w),
    );
}

fn centred(word: u32) -> real4 {
    return real4(unpack4xU8(word & 0x0f0f0f0fu)) - real4(8.0);
}

// File: d f16, 16 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 18u + 2u + word % 4u * 4u);
    }
    return raw_pair(row_at + word * 2u * 18u, 18u, word * 2u + 1u < BLOCKS);
}
