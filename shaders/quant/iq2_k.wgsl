// IQ2_K: w = d·(scale − 8)·(level[q] + shift), 256 weights in 8 runs of 32; a scale and a shift of 0 or 5 for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 2 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS / 4): a nibble each 16 weights
@group(0) @binding(2) var<storage, read> ranges: array<u32>; // (R, BLOCKS / 8): d as f16, and 16 bits: is it shifted?

const SCALES = 2u;
// -31, -13, 1, 17.
const LEVELS = 0x1101f3e1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let low = levels4(q.xyxy >> vec4<u32>(0u, 0u, 2u, 2u), LEVELS);
    let high = levels4(q.xyxy >> vec4<u32>(4u, 4u, 6u, 6u), LEVELS);
    let range = ranges[at / 8u];
    let both = vec2<u32>(scales[at / 4u] >> (block % 4u * 8u)) >> vec2<u32>(0u, 4u);
    let d = unpack2x16float(range).x * (vec2<f32>(both & vec2<u32>(15u)) - 8.0);
    let shifted = (vec2<u32>(range >> (16u + block % 8u * 2u)) >> vec2<u32>(0u, 1u)) & vec2<u32>(1u);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        d,
        -5.0 * d * vec2<f32>(shifted),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 2 bytes of shifts, 8 of scales, 64 of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 76u + 12u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 2u * 76u + 4u + word % 2u * 4u);
    }
    return raw_u32(row_at + word * 76u);
}
