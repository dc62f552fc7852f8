// Q3_K: w = d·(scale − 32)·(q − 4), 256 weights in 8 runs of 32; a scale for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): low 2 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): third bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 8, 3): 16 of 6 bits, as the file has them
@group(0) @binding(3) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 2u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let third = vec4<u32>(highs[at]);
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    // Scales 2·run and 2·run + 1: nibbles of two bytes, then 2 bits of two others.
    let lows = scales[at / 8u * 3u + run % 4u / 2u] >> (run % 2u * 16u + run / 4u * 4u);
    let tops = scales[at / 8u * 3u + 2u] >> (run % 2u * 16u + run / 2u * 2u);
    let nibbles = vec2<u32>(lows, lows >> 8u) & vec2<u32>(15u);
    let pairs = vec2<u32>(tops, tops >> 8u) & vec2<u32>(3u);
    let d = range * (vec2<f32>(nibbles | (pairs << vec2<u32>(4u))) - 32.0);
    let low = ((q.xyxy >> vec4<u32>(0u, 0u, 2u, 2u)) & vec4<u32>(0x03030303u))
        | (((third >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(0x01010101u)) << vec4<u32>(2u));
    let high = ((q.xyxy >> vec4<u32>(4u, 4u, 6u, 6u)) & vec4<u32>(0x03030303u))
        | (((third >> vec4<u32>(4u, 5u, 6u, 7u)) & vec4<u32>(0x01010101u)) << vec4<u32>(2u));
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        d,
        4.0 * d,
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: 32 bytes of third bits (bit r of run r), 64 of quants, 12 of scales, d f16. Byte 32·h + i of the quants
// holds q[i] of four runs.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 110u + 32u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + word / 8u * 110u, 1u, word % 8u, 0u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + word / 3u * 110u + 96u + word % 3u * 4u);
    }
    return raw_pair(row_at + word * 2u * 110u + 108u, 110u, word * 2u + 1u < BLOCKS / 8u);
}
