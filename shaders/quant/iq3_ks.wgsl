// IQ3_KS: w = d·(scale − 16)·(level[q] + shift), 256 weights in 8 runs of 32; a scale and a shift of 0 or 4 for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): low 2 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): third bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<vec2<u32>>; // (R, BLOCKS / 8): 8 fifth bits, 8 shifts; byte r: scales r and r + 4
@group(0) @binding(3) var<storage, read> row_scales: array<u32>; // (R): d, an f16

const SCALES = 1u;
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
    let head = scales[at / 8u];
    let scale = ((head.y >> (run % 4u * 8u + run / 4u * 4u)) & 15u) | (((head.x >> run) & 1u) << 4u);
    let d = unpack2x16float(row_scales[row]).x * (f32(scale) - 16.0);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(-4.0 * d * f32((head.x >> (8u + run)) & 1u)),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, then blocks of 2 bytes of fifth bits and shifts, 4 of scales, 64 of quants, 32 of third bits.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let half = row_at + 2u + run / 8u * 102u + 6u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + word / 8u * 102u + 72u, 1u, word % 8u, 0u);
    }
    if (plane == 2u) {
        let at = row_at + 2u + word / 2u * 102u;
        if (word % 2u == 0u) {
            return raw_u16(at);
        }
        return raw_u32(at + 2u);
    }
    return raw_u16(row_at);
}
