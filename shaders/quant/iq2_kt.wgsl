// IQ2_KT: w = d·level[scale]·trellis, 256 weights in 8 runs of 32; 8 weights for each number, a scale for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 4 numbers of 16 bits
@group(0) @binding(1) var<storage, read> scales: array<u32>; // (R, BLOCKS / 8): byte r: scales r and r + 4
@group(0) @binding(2) var<storage, read> row_scales: array<u32>; // (R): d, an f32

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let a = trellis8((q.x & 0xffffu) + 4096u);
    let b = trellis8((q.x >> 16u) + 4096u);
    let c = trellis8((q.y & 0xffffu) + 4096u);
    let e = trellis8((q.y >> 16u) + 4096u);
    let scale = (scales[at / 8u] >> (run % 4u * 8u + run / 4u * 4u)) & 15u;
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, e.x, e.y),
        vec2<f32>(bitcast<f32>(row_scales[row]) * trellis_scale(scale)),
        vec2<f32>(0.0),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f32, then blocks of 4 bytes of scales, 64 of numbers.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + 4u + word / 16u * 68u + 4u + word % 16u * 4u);
    }
    if (plane == 1u) {
        return raw_u32(row_at + 4u + word * 68u);
    }
    return raw_u32(row_at);
}
