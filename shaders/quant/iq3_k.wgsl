// IQ3_K: w = ±d·(2·scale + 1)·(level[q] + shift), 256 weights in 8 runs of 32; a scale, a sign and a shift of 0 or 4 for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): low 2 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): third bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> heads: array<vec4<u32>>; // (R, BLOCKS / 8): d f16, 16 shifts, 16 signs, 16 nibbles of scales

const SCALES = 2u;
// -63, -40, -23, -10, 1, 13, 28, 47.
const LEVELS = vec2<u32>(0xf6e9d8c1u, 0x2f1c0d01u);

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let third = vec4<u32>(highs[at]);
    let low = levels8(((q.xyxy >> vec4<u32>(0u, 0u, 2u, 2u)) & vec4<u32>(0x03030303u))
        | (((third >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(0x01010101u)) << vec4<u32>(2u)), LEVELS);
    let high = levels8(((q.xyxy >> vec4<u32>(4u, 4u, 6u, 6u)) & vec4<u32>(0x03030303u))
        | (((third >> vec4<u32>(4u, 5u, 6u, 7u)) & vec4<u32>(0x01010101u)) << vec4<u32>(2u)), LEVELS);
    let head = heads[at / 8u];
    // Scales begin at byte 6 of the head.
    let both = vec2<u32>(head[(run + 6u) / 4u] >> ((run + 6u) % 4u * 8u)) >> vec2<u32>(0u, 4u);
    let is_less = (vec2<u32>(head.y >> (run * 2u)) >> vec2<u32>(0u, 1u)) & vec2<u32>(1u);
    let shifted = (vec2<u32>(head.x >> (16u + run * 2u)) >> vec2<u32>(0u, 1u)) & vec2<u32>(1u);
    let size = vec2<f32>((both & vec2<u32>(15u)) * 2u + 1u);
    let d = unpack2x16float(head.x).x * size * (1.0 - 2.0 * vec2<f32>(is_less));
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        d,
        -4.0 * d * vec2<f32>(shifted),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 2 bytes of shifts, 2 of signs, 8 of scales, 64 of quants, 32 of third bits.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 110u + 14u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + word / 8u * 110u + 78u, 1u, word % 8u, 0u);
    }
    let at = row_at + word / 4u * 110u + word % 4u * 4u;
    if (word % 4u == 3u) {
        return raw_u16(at);
    }
    return raw_u32(at);
}
