// IQ3_KT: w = ±d·scale·|trellis|, 256 weights in 8 runs of 32; 8 weights for each number, a scale for each run, d for each row.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 4 numbers of 16 bits
@group(0) @binding(1) var<storage, read> signs: array<u32>; // (R, BLOCKS): a bit each, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 8): byte r: scales r and r + 4
@group(0) @binding(3) var<storage, read> row_scales: array<u32>; // (R): d, an f32

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let bits = signs[at];
    let a = sizes8((q.x & 0xffffu) + 4096u, bits);
    let b = sizes8((q.x >> 16u) + 4096u, bits >> 2u);
    let c = sizes8((q.y & 0xffffu) + 4096u, bits >> 4u);
    let e = sizes8((q.y >> 16u) + 4096u, bits >> 6u);
    let scale = (scales[at / 8u] >> (run % 4u * 8u + run / 4u * 4u)) & 15u;
    return Ints(
        array<u32, 8>(a.x, a.y, b.x, b.y, c.x, c.y, e.x, e.y),
        vec2<f32>(bitcast<f32>(row_scales[row]) * f32(scale)),
        vec2<f32>(0.0),
    );
}

// The sizes of 8 weights, less than 0 where the lowest two bits of four bytes are set: the first in each of four.
fn sizes8(state: u32, bits: u32) -> vec2<u32> {
    let less = 1 - 2 * vec4<i32>(unpack4xU8(bits & 0x01010101u));
    let less_too = 1 - 2 * vec4<i32>(unpack4xU8((bits >> 1u) & 0x01010101u));
    return vec2<u32>(pack4xI8(abs(trellis4(state)) * less), pack4xI8(abs(trellis4(state * FACTOR4)) * less_too));
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xI8(word));
}

// File: d f32, then blocks of 4 bytes of scales, 64 of numbers, 32 of signs.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        return raw_u32(row_at + 4u + word / 16u * 100u + 4u + word % 16u * 4u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + 4u + word / 8u * 100u + 68u, 1u, word % 8u, 0u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + 4u + word * 100u);
    }
    return raw_u32(row_at);
}
