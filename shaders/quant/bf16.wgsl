// BF16: 32 floats of 16 bits a block, each the upper half of an f32.
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
    let low = words.xxyy << vec4<u32>(16u, 0u, 16u, 0u);
    return real4(bitcast<vec4<f32>>(low & vec4<u32>(0xffff0000u)));
}

fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    return raw_u32(row_at + word * 4u);
}
