// IQ5_KS: w = d·(scale − 127)·(level[q] + shift), 256 weights in 8 runs of 32; a scale and a shift of 0 or 2 for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): fifth bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 4): a byte a run, the lowest bit of it the shift
@group(0) @binding(3) var<storage, read> row_scales: array<u32>; // (R): d, an f32

const SCALES = 1u;
const TABLE = 2u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let fifth = vec4<u32>(highs[at]);
    let low = looked_up((q & vec4<u32>(0x0f0f0f0fu)) | (((fifth >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u)));
    let high = looked_up(((q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu)) | (((fifth >> vec4<u32>(4u, 5u, 6u, 7u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u)));
    let scale = (scales[at / 4u] >> (block % 4u * 8u)) & 0xffu;
    let d = bitcast<f32>(row_scales[row]) * (f32(scale & 254u) - 127.0);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(-2.0 * d * f32(scale & 1u)),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f32, then blocks of 8 bytes of scales, 128 of quants, 32 of fifth bits.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 4u;
        let pair = row_at + 4u + run / 8u * 168u + 8u + run / 2u % 4u * 32u;
        return raw_gather(pair, 4u, run % 2u * 4u, word % 4u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + word / 8u * 168u + 140u, 1u, word % 8u, 0u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + 4u + word / 2u * 168u + word % 2u * 4u);
    }
    return raw_u32(row_at);
}
