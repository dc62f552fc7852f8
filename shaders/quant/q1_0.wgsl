// Q1_0: w = d or −d, 128 weights in 4 runs of 32; a bit says that it is d.
// To decode_ints a run is a block: BLOCKS / 4 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<u32>; // (R, BLOCKS): a bit each, as raw_spread lays them
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, ⌈BLOCKS / 8⌉): d of two blocks of the file as f16

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let q = vec4<u32>(quants[row * BLOCKS + block]);
    let low = (q >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(0x01010101u);
    let high = (q >> vec4<u32>(4u, 5u, 6u, 7u)) & vec4<u32>(0x01010101u);
    let d = unpack2x16float(scales[row * ((BLOCKS + 7u) / 8u) + block / 8u])[block / 4u % 2u];
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(2.0 * d),
        vec2<f32>(d),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: d f16, 16 bytes of bits.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_spread(raw_u32(row_at + word / 4u * 18u + 2u + word % 4u * 4u));
    }
    return raw_pair(row_at + word * 2u * 18u, 18u, word * 2u + 1u < BLOCKS / 4u);
}
