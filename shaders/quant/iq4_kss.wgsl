// IQ4_KSS: w = d·(scale − 127)·(level[q] + shift), 256 weights in 8 runs of 32; a scale and a shift of 0 or 4 for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): 8 times a bit of the scale and 15 of 4 quants
@group(0) @binding(1) var<storage, read> row_scales: array<u32>; // (R): d, an f32

const SCALES = 1u;
// -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.
const LEVELS = vec4<u32>(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

fn decode_ints(row: u32, block: u32) -> Ints {
    let words = quants[row * BLOCKS + block];
    let even = words & vec4<u32>(0xfffefffeu);
    let q = even ^ (even >> vec4<u32>(1u));
    let low = levels16(q, LEVELS);
    let high = levels16(q >> vec4<u32>(4u), LEVELS);
    // Bits 0 and 16 of the words: of the scale 0 and 1, 2 and 3 …
    let bits = (words & vec4<u32>(0x00010001u)) << vec4<u32>(0u, 2u, 4u, 6u);
    let pairs = bits.x | bits.y | bits.z | bits.w;
    let scale = (pairs | (pairs >> 15u)) & 0xffu;
    let d = bitcast<f32>(row_scales[row]) * (f32(scale & 254u) - 127.0);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(-4.0 * d * f32(scale & 1u)),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f32, then blocks of 128 bytes.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + 4u + word * 4u);
    }
    return raw_u32(row_at);
}
