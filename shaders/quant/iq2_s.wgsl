// IQ2_S: w = d·(2·scale + 1)/8·sign·level, 256 weights in 8 runs of 32; a scale for each 16, 8 levels a point of the table.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 8 bits of 4 points; 32 signs
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS / 2): 4 · 2 bits of points, 2 nibbles
@group(0) @binding(2) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 2u;
const TABLE = 128u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let more = scales[at / 2u] >> (block % 2u * 16u);
    let a = point2((q.x & 0xffu) | ((more << 8u) & 0x300u), q.y);
    let b = point2(((q.x >> 8u) & 0xffu) | ((more << 6u) & 0x300u), q.y >> 8u);
    let c = point2(((q.x >> 16u) & 0xffu) | ((more << 4u) & 0x300u), q.y >> 16u);
    let d = point2((q.x >> 24u) | ((more << 2u) & 0x300u), q.y >> 24u);
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y),
        range * (vec2<f32>(f32((more >> 8u) & 15u), f32((more >> 12u) & 15u)) * 0.25 + 0.125),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 32 bytes of points, 32 of signs, 8 of high bits, 8 of scales.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 16u * 82u + 2u + word % 2u * 32u + word / 2u % 8u * 4u);
    }
    if (plane == 1u) {
        let at = row_at + word / 4u * 82u + 66u + word % 4u * 2u;
        let highs = raw_u16(at);
        let both = raw_u16(at + 8u);
        return (highs & 0xffu) | ((both & 0xffu) << 8u) | ((highs >> 8u) << 16u) | ((both >> 8u) << 24u);
    }
    return raw_pair(row_at + word * 2u * 82u, 82u, word * 2u + 1u < BLOCKS / 8u);
}
