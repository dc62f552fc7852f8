// IQ2_XXS: w = d·(2·scale + 1)/8·sign·level, 256 weights in 8 runs of 32; a scale for each run, 8 levels a point of the table.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 4 points; 4 · 7 bits of signs and the scale
@group(0) @binding(1) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 1u;
const TABLE = 32u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let q = quants[row * BLOCKS + block];
    let a = point2(q.x & 0xffu, signs8(q.y));
    let b = point2((q.x >> 8u) & 0xffu, signs8(q.y >> 7u));
    let c = point2((q.x >> 16u) & 0xffu, signs8(q.y >> 14u));
    let d = point2(q.x >> 24u, signs8(q.y >> 21u));
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y),
        vec2<f32>(range * (f32(q.y >> 28u) * 0.25 + 0.125)),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 8 bytes a run.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 16u * 66u + 2u + word % 16u * 4u);
    }
    return raw_pair(row_at + word * 2u * 66u, 66u, word * 2u + 1u < BLOCKS / 8u);
}
