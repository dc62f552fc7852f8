// IQ2_KL: w = d·(scale − 32)·level, 256 weights in 8 runs of 32; two levels for each q, a scale for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): low 4 bits of 16 q, those of q[i] and q[i + 8] in byte i
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS / 2): 16 fifth bits
@group(0) @binding(2) var<storage, read> scales: array<vec2<u32>>; // (R, BLOCKS / 8): 8 · 2 bits; byte r: 4 bits of scales r and r + 4
@group(0) @binding(3) var<storage, read> row_scales: array<u32>; // (R): d, an f16

const SCALES = 1u;
const TABLE = 4u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let tops = highs[at / 2u] >> (block % 2u * 16u);
    let low = vec4<u32>(pairs(q.x, tops), pairs(q.x >> 16u, tops >> 2u), pairs(q.y, tops >> 4u), pairs(q.y >> 16u, tops >> 6u));
    let high = vec4<u32>(pairs(q.x >> 4u, tops >> 8u), pairs(q.x >> 20u, tops >> 10u), pairs(q.y >> 4u, tops >> 12u), pairs(q.y >> 20u, tops >> 14u));
    let head = scales[at / 8u];
    let scale = ((head.y >> (run % 4u * 8u + run / 4u * 4u)) & 15u) | (((head.x >> (run * 2u)) & 3u) << 4u);
    let d = unpack2x16float(row_scales[row]).x * (f32(scale) - 32.0);
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(0.0),
    );
}

// Four levels: of the nibbles of two bytes, and of two bits more.
fn pairs(nibbles: u32, tops: u32) -> u32 {
    return entry((nibbles & 15u) | ((tops & 1u) << 4u)) | (entry(((nibbles >> 8u) & 15u) | ((tops & 2u) << 3u)) << 16u);
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, then blocks of 2 bytes of high bits of scales, 4 of low ones, 64 of quants, 16 of fifth bits.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let at = row_at + 2u + run / 8u * 86u + 6u + run / 2u % 4u * 16u + word % 2u * 4u;
        let first = (raw_u32(at) >> (run % 2u * 4u)) & 0x0f0f0f0fu;
        return first | (((raw_u32(at + 8u) >> (run % 2u * 4u)) & 0x0f0f0f0fu) << 4u);
    }
    if (plane == 1u) {
        let at = row_at + 2u + word / 4u * 86u + 70u;
        let run = word % 4u * 2u;
        var both = 0u;
        for (var n = 0u; n < 16u; n++) {
            let bits = raw_u16(at + n / 2u * 2u) >> (n % 2u * 8u + run);
            both |= ((bits & 1u) << n) | (((bits >> 1u) & 1u) << (16u + n));
        }
        return both;
    }
    if (plane == 2u) {
        let at = row_at + 2u + word / 2u * 86u;
        if (word % 2u == 0u) {
            return raw_u16(at);
        }
        return raw_u32(at + 2u);
    }
    return raw_u16(row_at);
}
