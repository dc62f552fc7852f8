// IQ1_S: w = d·(2·scale + 1)·(level ± 1/8), 256 weights in 8 runs of 32; a scale for each run, 8 levels a point of the table.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<u32>; // (R, BLOCKS): 8 bits of 4 points
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS / 2): 4 · 3 bits of points, the scale, less an eighth?
@group(0) @binding(2) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 1u;
const TABLE = 256u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let q = quants[at];
    let more = highs[at / 2u] >> (block % 2u * 16u);
    let is_less = (more & 0x8000u) != 0u;
    let a = point1((q & 0xffu) | ((more << 8u) & 0x700u), is_less);
    let b = point1(((q >> 8u) & 0xffu) | ((more << 5u) & 0x700u), is_less);
    let c = point1(((q >> 16u) & 0xffu) | ((more << 2u) & 0x700u), is_less);
    let d = point1((q >> 24u) | ((more >> 1u) & 0x700u), is_less);
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y),
        vec2<f32>(range * f32(((more >> 11u) & 14u) + 1u) * 0.125),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f16, 32 bytes of points, 16 of high bits and scales.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 8u * 50u + 2u + word % 8u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 4u * 50u + 34u + word % 4u * 4u);
    }
    return raw_pair(row_at + word * 2u * 50u, 50u, word * 2u + 1u < BLOCKS / 8u);
}
