// IQ2_XS: w = d·(2·scale + 1)/8·sign·level, 256 weights in 8 runs of 32; a scale for each 16, 8 levels a point of the table.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 4 times a point of 9 bits, signs of 7
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS / 4): a nibble each 16 weights
@group(0) @binding(2) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 2u;
const TABLE = 64u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let a = point2(q.x & 511u, signs8(q.x >> 9u));
    let b = point2((q.x >> 16u) & 511u, signs8(q.x >> 25u));
    let c = point2(q.y & 511u, signs8(q.y >> 9u));
    let d = point2((q.y >> 16u) & 511u, signs8(q.y >> 25u));
    let both = scales[at / 4u] >> (block % 4u * 8u);
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y),
        range * (vec2<f32>(f32(both & 15u), f32((both >> 4u) & 15u)) * 0.25 + 0.125),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 8 bytes a run, 8 bytes of scales.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 16u * 74u + 2u + word % 16u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 2u * 74u + 66u + word % 2u * 4u);
    }
    return raw_pair(row_at + word * 2u * 74u, 74u, word * 2u + 1u < BLOCKS / 8u);
}
