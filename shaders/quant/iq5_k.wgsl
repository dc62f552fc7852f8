// IQ5_K: w = d·(scale − 32)·(level[q] + shift), 256 weights in 8 runs of 32; a scale and a shift of 0 or 2 for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): fifth bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> heads: array<vec4<u32>>; // (R, BLOCKS / 8): d f16, 16 shifts, 16 · 2 bits and 16 · 4 bits of scales

const SCALES = 2u;
const TABLE = 2u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let fifth = vec4<u32>(highs[at]);
    let low = looked_up((q & vec4<u32>(0x0f0f0f0fu)) | (((fifth >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u)));
    let high = looked_up(((q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu)) | (((fifth >> vec4<u32>(4u, 5u, 6u, 7u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u)));
    let head = heads[at / 8u];
    let lows = head[2u + run / 4u] >> (run % 4u * 8u);
    let tops = head.y >> (run * 4u);
    let scale = (vec2<u32>(lows, lows >> 4u) & vec2<u32>(15u)) | ((vec2<u32>(tops, tops >> 2u) & vec2<u32>(3u)) << vec2<u32>(4u));
    let d = unpack2x16float(head.x).x * (vec2<f32>(scale) - 32.0);
    let shifted = (vec2<u32>(head.x >> (16u + run * 2u)) >> vec2<u32>(0u, 1u)) & vec2<u32>(1u);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        d,
        -2.0 * d * vec2<f32>(shifted),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: 16 bytes of d, shifts and scales, 128 of quants, 32 of fifth bits.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 4u;
        let pair = row_at + run / 8u * 176u + 16u + run / 2u % 4u * 32u;
        return raw_gather(pair, 4u, run % 2u * 4u, word % 4u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + word / 8u * 176u + 144u, 1u, word % 8u, 0u);
    }
    return raw_u32(row_at + word / 4u * 176u + word % 4u * 4u);
}
