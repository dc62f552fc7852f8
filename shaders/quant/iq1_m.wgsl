// IQ1_M: w = d·(2·scale + 1)·(level ± 1/8), 256 weights in 8 runs of 32; a scale for each 16, 8 levels a point of the table.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<u32>; // (R, BLOCKS): 8 bits of 4 points
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS / 2): of each point 3 bits, and whether an eighth is taken off
@group(0) @binding(2) var<storage, read> scales: array<vec2<u32>>; // (R, BLOCKS / 8): 4 times 4 · 3 bits, and 4 bits of d

const SCALES = 2u;
const TABLE = 256u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let more = highs[at / 2u] >> (block % 2u * 16u);
    let a = point1((q & 0xffu) | ((more << 8u) & 0x700u), (more & 0x8u) != 0u);
    let b = point1(((q >> 8u) & 0xffu) | ((more << 4u) & 0x700u), (more & 0x80u) != 0u);
    let c = point1(((q >> 16u) & 0xffu) | (more & 0x700u), (more & 0x800u) != 0u);
    let d = point1((q >> 24u) | ((more >> 4u) & 0x700u), (more & 0x8000u) != 0u);
    let all = scales[at / 8u];
    let tops = (all >> vec2<u32>(12u)) & vec2<u32>(0xfu);
    let highest = (all >> vec2<u32>(24u)) & vec2<u32>(0xf0u);
    let range = unpack2x16float(tops.x | highest.x | ((tops.y | highest.y) << 8u)).x;
    let both = vec2<u32>(all[run / 4u]) >> (vec2<u32>(run / 2u % 2u * 16u + run % 2u * 6u) + vec2<u32>(0u, 3u));
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y),
        range * 0.125 * vec2<f32>((both & vec2<u32>(7u)) * 2u + 1u),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: 32 bytes of points, 16 of high bits, 8 of scales.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + word / 8u * 56u + word % 8u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + word / 4u * 56u + 32u + word % 4u * 4u);
    }
    return raw_u32(row_at + word / 2u * 56u + 48u + word % 2u * 4u);
}
