// Q5_0: w = d·(q − 16), 32 weights a block.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, q[i] and q[i + 16] in byte i
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): fifth bits, as raw_spread lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, ⌈BLOCKS / 2⌉): d of two blocks as f16

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let h = q >> vec4<u32>(4u);
    let high = highs[at];
    let d = real(unpack2x16float(scales[row * ((BLOCKS + 1u) / 2u) + block / 2u])[block % 2u]);
    return array<real4, 8>(
        d * centred(q.x, high), d * centred(q.y, high >> 1u),
        d * centred(q.z, high >> 2u), d * centred(q.w, high >> 3u),
        d * centred(h.x, high >> 4u), d * centred(h.y, high >> 5u),
        d * centred(h.z, high >> 6u), d * centred(h.w, high >> 7u),
    );
}

fn centred(low: u32, high: u32) -> real4 {
    return real4(unpack4xU8((low & 0x0f0f0f0fu) | ((high & 0x01010101u) << 4u))) - real4(16.0);
}

// File: d f16, fifth bits (bit i of q[i]), 16 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 4u * 22u + 6u + word % 4u * 4u);
    }
    if (plane == 1u) {
        return raw_spread(raw_u32(row_at + word * 22u + 2u));
    }
    return raw_pair(row_at + word * 2u * 22u, 22u, word * 2u + 1u < BLOCKS);
}
