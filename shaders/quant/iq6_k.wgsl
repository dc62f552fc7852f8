// IQ6_K: w = d·scale·(level[q] + shift), 256 weights in 8 runs of 32; a scale, a signed byte, and a shift of 0 or 1 for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<vec2<u32>>; // (R, BLOCKS): top 2 bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 2): a byte each 16 weights
@group(0) @binding(3) var<storage, read> ranges: array<u32>; // (R, BLOCKS / 8): d as f16, and 16 bits: is it shifted?

const SCALES = 2u;
const TABLE = 4u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let tops = highs[at];
    let top = vec4<u32>(tops, tops >> vec2<u32>(2u));
    let low = looked_up((q & vec4<u32>(0x0f0f0f0fu)) | ((top & vec4<u32>(0x03030303u)) << vec4<u32>(4u)));
    let high = looked_up(((q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu)) | (top & vec4<u32>(0x30303030u)));
    let range = ranges[at / 8u];
    let d = unpack2x16float(range).x * vec4<f32>(unpack4xI8(scales[at / 2u] >> (block % 2u * 16u))).xy;
    let shifted = (vec2<u32>(range >> (16u + block % 8u * 2u)) >> vec2<u32>(0u, 1u)) & vec2<u32>(1u);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        d,
        -d * vec2<f32>(shifted),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 2 bytes of shifts, 16 of scales, 128 of quants, 64 of top bits.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 4u;
        let pair = row_at + run / 8u * 212u + 20u + run / 2u % 4u * 32u;
        return raw_gather(pair, 4u, run % 2u * 4u, word % 4u);
    }
    if (plane == 1u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 212u + 148u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + word / 4u * 212u + 4u + word % 4u * 4u);
    }
    return raw_u32(row_at + word * 212u);
}
