// IQ3_S: w = d·(2·scale + 1)·sign·level, 256 weights in 8 runs of 32; a scale for each run, 4 levels a point of the table.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 8 bits of 8 points
@group(0) @binding(1) var<storage, read> signs: array<u32>; // (R, BLOCKS): a bit each
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 8, 3): 8 · 8 ninth bits, 8 nibbles
@group(0) @binding(3) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 1u;
const TABLE = 64u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let bits = signs[at];
    let ninth = scales[at / 8u * 3u + run / 4u] >> (run % 4u * 8u);
    let a = two(q.x, ninth, bits);
    let b = two(q.x >> 16u, ninth >> 2u, bits >> 8u);
    let c = two(q.y, ninth >> 4u, bits >> 16u);
    let d = two(q.y >> 16u, ninth >> 6u, bits >> 24u);
    let scale = (scales[at / 8u * 3u + 2u] >> (run * 4u)) & 15u;
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y),
        vec2<f32>(range * f32(2u * scale + 1u)),
        vec2<f32>(0.0),
    );
}

// 8 weights: the points of two bytes and two bits more, and signs. Levels are odd numbers.
fn two(points: u32, ninth: u32, signs: u32) -> vec2<u32> {
    let first = spread3(entry((points & 0xffu) | ((ninth & 1u) << 8u)));
    let second = spread3(entry(((points >> 8u) & 0xffu) | ((ninth & 2u) << 7u)));
    return vec2<u32>(
        with_signs((first << 1u) | 0x01010101u, signs),
        with_signs((second << 1u) | 0x01010101u, signs >> 4u),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 64 bytes of points, 8 of ninth bits, 32 of signs, 4 of scales.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 16u * 110u + 2u + word % 16u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 8u * 110u + 74u + word % 8u * 4u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + word / 3u * 110u + select(66u + word % 3u * 4u, 106u, word % 3u == 2u));
    }
    return raw_pair(row_at + word * 2u * 110u, 110u, word * 2u + 1u < BLOCKS / 8u);
}
