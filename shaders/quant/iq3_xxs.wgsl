// IQ3_XXS: w = d·(2·scale + 1)/4·sign·level, 256 weights in 8 runs of 32; a scale for each run, 4 levels a point of the table.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 8 points
@group(0) @binding(1) var<storage, read> signs: array<u32>; // (R, BLOCKS): 4 · 7 bits, and the scale
@group(0) @binding(2) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 1u;
const TABLE = 32u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let more = signs[at];
    let a = two(q.x, signs8(more));
    let b = two(q.x >> 16u, signs8(more >> 7u));
    let c = two(q.y, signs8(more >> 14u));
    let d = two(q.y >> 16u, signs8(more >> 21u));
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y),
        vec2<f32>(range * (f32(more >> 28u) * 0.5 + 0.25)),
        vec2<f32>(0.0),
    );
}

// 8 weights: the points of two bytes, and signs.
fn two(points: u32, signs: u32) -> vec2<u32> {
    return vec2<u32>(
        with_signs(levels(entry(points & 0xffu)), signs),
        with_signs(levels(entry((points >> 8u) & 0xffu)), signs >> 4u),
    );
}

// 4, 12, 20, 28, 36, 44, 52, 62.
fn levels(bits: u32) -> u32 {
    let q = spread3(bits);
    return q * 8u + ((q & (q >> 1u) & (q >> 2u)) << 1u) + 0x04040404u;
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 64 bytes of points, 32 of signs and scales.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 16u * 98u + 2u + word % 16u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 8u * 98u + 66u + word % 8u * 4u);
    }
    return raw_pair(row_at + word * 2u * 98u, 98u, word * 2u + 1u < BLOCKS / 8u);
}
