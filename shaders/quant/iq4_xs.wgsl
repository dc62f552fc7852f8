// IQ4_XS: w = d·(scale − 32)·level[q], 256 weights in 8 runs of 32; a scale for each run.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): 4 bits, q[i] and q[i + 16] in byte i
@group(0) @binding(1) var<storage, read> scales: array<vec2<u32>>; // (R, BLOCKS / 8): d f16, 8 · 2 bits, 8 · 4 bits

const SCALES = 1u;
// -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113.
const LEVELS = vec4<u32>(0xbfad9881u, 0xf6eaddcfu, 0x26190d01u, 0x71594535u);

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let low = levels16(q, LEVELS);
    let high = levels16(q >> vec4<u32>(4u), LEVELS);
    let head = scales[at / 8u];
    let scale = ((head.y >> (run * 4u)) & 15u) | (((head.x >> (16u + run * 2u)) & 3u) << 4u);
    let d = unpack2x16float(head.x).x * (f32(scale) - 32.0);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 2 bytes of high bits of scales, 4 of low ones, 128 of quants.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 32u * 136u + 8u + word % 32u * 4u);
    }
    return raw_u32(row_at + word / 2u * 136u + word % 2u * 4u);
}
