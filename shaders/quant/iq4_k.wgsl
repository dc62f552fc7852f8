// IQ4_K: w = d·(scale − 32)·(level[q] + shift), 256 weights in 8 runs of 32; a scale and a shift of 0 or 4 for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): 4 bits, q[i] and q[i + 16] in byte i
@group(0) @binding(1) var<storage, read> heads: array<vec4<u32>>; // (R, BLOCKS / 8): d f16, 16 shifts, 16 · 2 bits and 16 · 4 bits of scales

const SCALES = 2u;
// -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.
const LEVELS = vec4<u32>(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let low = levels16(q, LEVELS);
    let high = levels16(q >> vec4<u32>(4u), LEVELS);
    let head = heads[at / 8u];
    let lows = head[2u + run / 4u] >> (run % 4u * 8u);
    let tops = head.y >> (run * 4u);
    let scale = (vec2<u32>(lows, lows >> 4u) & vec2<u32>(15u)) | ((vec2<u32>(tops, tops >> 2u) & vec2<u32>(3u)) << vec2<u32>(4u));
    let d = unpack2x16float(head.x).x * (vec2<f32>(scale) - 32.0);
    let shifted = (vec2<u32>(head.x >> (16u + run * 2u)) >> vec2<u32>(0u, 1u)) & vec2<u32>(1u);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        d,
        -4.0 * d * vec2<f32>(shifted),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: 16 bytes of d, shifts and scales, 128 of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 32u * 144u + 16u + word % 32u * 4u);
    }
    return raw_u32(row_at + word / 4u * 144u + word % 4u * 4u);
}
