// IQ4_KT: w = d·(scale − 64)·trellis, 256 weights in 8 runs of 32; 4 weights for each number, a scale for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec4<u32>>; // (R, BLOCKS): 2^15 more?, the scale, 8 · 3 high bits; 8 · 8 low bits; 8 · 4 bits between
@group(0) @binding(1) var<storage, read> row_scales: array<u32>; // (R): d, an f32

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let q = quants[row * BLOCKS + block];
    return Ints(
        array<u32, 8>(
            four(q.y, q, 0u), four(q.y >> 8u, q, 1u), four(q.y >> 16u, q, 2u), four(q.y >> 24u, q, 3u),
            four(q.z, q, 4u), four(q.z >> 8u, q, 5u), four(q.z >> 16u, q, 6u), four(q.z >> 24u, q, 7u),
        ),
        vec2<f32>(bitcast<f32>(row_scales[row]) * (f32((q.x >> 1u) & 127u) - 64.0)),
        vec2<f32>(0.0),
    );
}

// The weights of number n, whose low bits are those of `low`.
fn four(low: u32, q: vec4<u32>, n: u32) -> u32 {
    let middle = (q.w >> (n * 4u)) & 15u;
    let top = (q.x >> (8u + n * 3u)) & 7u;
    let number = (low & 0xffu) | (middle << 8u) | (top << 12u) | ((q.x & 1u) << 15u);
    return pack4xI8(trellis4(number + 4096u));
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f32, then blocks of 32 bytes, a word a run, 64 of low bits, 32 of those between.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 1u) {
        return raw_u32(row_at);
    }
    let at = row_at + 4u + word / 32u * 128u;
    let run = word / 4u % 8u;
    if (word % 4u == 0u) {
        return raw_u32(at + run * 4u);
    }
    if (word % 4u == 3u) {
        let nibbles = at + 96u + run % 4u * 8u;
        let shift = run / 4u * 4u;
        return raw_squeeze(raw_u32(nibbles) >> shift) | (raw_squeeze(raw_u32(nibbles + 4u) >> shift) << 16u);
    }
    return raw_u32(at + 32u + run * 8u + (word % 4u - 1u) * 4u);
}
