// Q5_K: w = d·scale·q − dmin·min, 256 weights in 8 runs of 32; a scale and a min for each run.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): low 4 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): fifth bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<vec4<u32>>; // (R, BLOCKS / 8): d, dmin, 12 bytes of scales and mins

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let fifth = highs[at];
    let low = (q & vec4<u32>(0x0f0f0f0fu)) | (((vec4<u32>(fifth) >> vec4<u32>(0u, 1u, 2u, 3u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u));
    let high = ((q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu)) | (((vec4<u32>(fifth) >> vec4<u32>(4u, 5u, 6u, 7u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u));
    let head = scales[at / 8u];
    let scale = unpack2x16float(head.x) * vec2<f32>(scale_and_min(head.yzw, block % 8u));
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        scale.xx,
        scale.yy,
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// Scale and min of run r of 8, 6 bits each. Of the first four: the low 6 bits of bytes r and r + 4 of 12; of the
// others: a nibble each of byte r + 4, and the top 2 bits of bytes r - 4 and r.
fn scale_and_min(bytes: vec3<u32>, r: u32) -> vec2<u32> {
    let b = (bytes >> vec3<u32>(r % 4u * 8u)) & vec3<u32>(0xffu);
    if (r < 4u) {
        return b.xy & vec2<u32>(63u);
    }
    return vec2<u32>(b.z & 15u, b.z >> 4u) | ((b.xy >> vec2<u32>(6u)) << vec2<u32>(4u));
}

// File: d f16, dmin f16, 12 bytes of scales and mins, 32 of fifth bits (bit r of run r), 128 of quants. Byte 32·p + i
// of the quants holds q[i] of two runs.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 4u;
        let pair = row_at + run / 8u * 176u + 48u + run / 2u % 4u * 32u;
        return raw_gather(pair, 4u, run % 2u * 4u, word % 4u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + word / 8u * 176u + 16u, 1u, word % 8u, 0u);
    }
    return raw_u32(row_at + word / 4u * 176u + word % 4u * 4u);
}
