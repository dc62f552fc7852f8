// Q8_0: w = d·q, q a signed byte, 32 weights a block.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS, 2)
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, ⌈BLOCKS / 2⌉): d of two blocks as f16

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = (row * BLOCKS + block) * 2u;
    let a = quants[at];
    let b = quants[at + 1u];
    let d = unpack2x16float(scales[row * ((BLOCKS + 1u) / 2u) + block / 2u])[block % 2u];
    return Ints(
        array<u32, 8>(a.x, a.y, a.z, a.w, b.x, b.y, b.z, b.w),
        vec2<f32>(d),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 32 bytes of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 8u * 34u + 2u + word % 8u * 4u);
    }
    return raw_pair(row_at + word * 2u * 34u, 34u, word * 2u + 1u < BLOCKS);
}
