// Q6_K: w = d·scale·(q − 32), 256 weights in 8 runs of 32; a scale, a signed byte, for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<vec2<u32>>; // (R, BLOCKS): top 2 bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 2): a byte each 16 weights
@group(0) @binding(3) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 2u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let tops = highs[at];
    let top = vec4<u32>(tops, tops >> vec2<u32>(2u));
    let low = (q & vec4<u32>(0x0f0f0f0fu)) | ((top & vec4<u32>(0x03030303u)) << vec4<u32>(4u));
    let high = ((q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu)) | (top & vec4<u32>(0x30303030u));
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    let d = range * vec4<f32>(unpack4xI8(scales[at / 2u] >> (block % 2u * 16u))).xy;
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        d,
        32.0 * d,
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: 128 bytes of quants, 64 of top bits, 16 of scales, d f16. Byte 64·h + 32·p + i of the quants holds q[i] of runs
// 4·h + p and 4·h + p + 2; byte 32·h + i of the top bits those of four runs.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 4u;
        let at = row_at + run / 8u * 210u + run / 4u % 2u * 64u + run % 2u * 32u;
        return raw_gather(at, 4u, run / 2u % 2u * 4u, word % 4u);
    }
    if (plane == 1u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 210u + 128u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + word / 4u * 210u + 192u + word % 4u * 4u);
    }
    return raw_pair(row_at + word * 2u * 210u + 208u, 210u, word * 2u + 1u < BLOCKS / 8u);
}
