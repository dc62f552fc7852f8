// Q2_K: w = d·scale·q − dmin·min, 256 weights in 8 runs of 32; a scale and a min for each 16.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 2 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS / 2): a byte each 16 weights
@group(0) @binding(2) var<storage, read> ranges: array<u32>; // (R, BLOCKS / 8): d, dmin as f16

const SCALES = 2u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let range = unpack2x16float(ranges[at / 8u]);
    // Two bytes: scale | min << 4.
    let both = (vec2<u32>(scales[at / 2u]) >> vec2<u32>(block % 2u * 16u, block % 2u * 16u + 8u)) & vec2<u32>(0xffu);
    let low = (q.xyxy >> vec4<u32>(0u, 0u, 2u, 2u)) & vec4<u32>(0x03030303u);
    let high = (q.xyxy >> vec4<u32>(4u, 4u, 6u, 6u)) & vec4<u32>(0x03030303u);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        range.x * vec2<f32>(both & vec2<u32>(15u)),
        range.y * vec2<f32>(both >> vec2<u32>(4u)),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: 16 bytes of scales, 64 of quants, d f16, dmin f16. Byte 32·h + i of the quants holds q[i] of four runs.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 84u + 16u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 4u * 84u + word % 4u * 4u);
    }
    return raw_u32(row_at + word * 84u + 80u);
}
