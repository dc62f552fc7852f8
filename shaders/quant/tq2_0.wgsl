// TQ2_0: w = d·(q − 1), 256 weights in 8 runs of 32.
// To decode_ints a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): 2 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

const SCALES = 1u;

fn decode_ints(row: u32, block: u32) -> Ints {
    let q = quants[row * BLOCKS + block];
    let low = (q.xyxy >> vec4<u32>(0u, 0u, 2u, 2u)) & vec4<u32>(0x03030303u);
    let high = (q.xyxy >> vec4<u32>(4u, 4u, 6u, 6u)) & vec4<u32>(0x03030303u);
    let d = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    return Ints(
        array<u32, 8>(low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w),
        vec2<f32>(d),
        vec2<f32>(d),
    );
}

fn floats(word: u32) -> real4 {
    return real4(unpack4xU8(word));
}

// File: 64 bytes of quants, d f16. Byte 32·h + i of the quants holds q[i] of four runs.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 66u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    return raw_pair(row_at + word * 2u * 66u + 64u, 66u, word * 2u + 1u < BLOCKS / 8u);
}
