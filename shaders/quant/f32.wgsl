// F32: 32 floats a block.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // (R, BLOCKS, 8)

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let at = (row * BLOCKS + block) * 8u;
    return array<real4, 8>(
        four(at), four(at + 1u), four(at + 2u), four(at + 3u), four(at + 4u), four(at + 5u), four(at + 6u), four(at + 7u),
    );
}

fn four(at: u32) -> real4 {
    return real4(bitcast<vec4<f32>>(weights[at]));
}

fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    return raw_u32(row_at + word * 4u);
}
