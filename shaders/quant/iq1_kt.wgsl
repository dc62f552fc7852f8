// IQ1_KT: w = d·level[scale]·trellis, 256 weights in 8 runs of 32; 8 weights for each number, a scale for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<u32>; // (R, BLOCKS): low 8 bits of 4 numbers
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS / 2): 4 bits more of 4 numbers
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 4): a byte a run, the scale and the highest bit of 4 numbers
@group(0) @binding(3) var<storage, read> row_scales: array<u32>; // (R): d, an f32

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let more = highs[at / 2u] >> (block % 2u * 16u);
    let tops = scales[at / 4u] >> (block % 4u * 8u);
    let a = trellis8(((q & 0xffu) | ((more << 8u) & 0xf00u) | ((tops << 8u) & 0x1000u)) + 4096u);
    let b = trellis8((((q >> 8u) & 0xffu) | ((more << 4u) & 0xf00u) | ((tops << 7u) & 0x1000u)) + 4096u);
    let c = trellis8((((q >> 16u) & 0xffu) | (more & 0xf00u) | ((tops << 6u) & 0x1000u)) + 4096u);
    let e = trellis8(((q >> 24u) | ((more >> 4u) & 0xf00u) | ((tops << 5u) & 0x1000u)) + 4096u);
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, e.x, e.y),
        vec2<f32>(bitcast<f32>(row_scales[row]) * trellis_scale(tops & 15u)),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f32, then blocks of 8 bytes of scales and highest bits, 32 of low bits, 16 of those between.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + 4u + word / 8u * 56u + 8u + word % 8u * 4u);
    }
    if (plane == 1u) {
        let at = row_at + 4u + word / 4u * 56u + 40u + word % 2u * 8u;
        let shift = word % 4u / 2u * 4u;
        return raw_squeeze(raw_u32(at) >> shift) | (raw_squeeze(raw_u32(at + 4u) >> shift) << 16u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + 4u + word / 2u * 56u + word % 2u * 4u);
    }
    return raw_u32(row_at);
}
