// F16: 32 half floats a block.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // (R, BLOCKS, 4)

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let at = (row * BLOCKS + block) * 4u;
    let a = weights[at];
    let b = weights[at + 1u];
    let c = weights[at + 2u];
    let d = weights[at + 3u];
    return array<real4, 8>(four(a.xy), four(a.zw), four(b.xy), four(b.zw), four(c.xy), four(c.zw), four(d.xy), four(d.zw));
}

fn four(words: vec2<u32>) -> real4 {
    return real4(vec4<f32>(unpack2x16float(words.x), unpack2x16float(words.y)));
}

fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    return raw_u32(row_at + word * 4u);
}
