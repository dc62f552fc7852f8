// Q3_K: w = d·(scale − 32)·(q − 4), 256 weights in 8 runs of 32; a scale for each 16.
// To decode_block a run is a block: BLOCKS / 8 blocks of the file a row.
@group(0) @binding(0) var<storage, read> quants: array<vec2<u32>>; // (R, BLOCKS): low 2 bits, as raw_gather lays them
@group(0) @binding(1) var<storage, read> highs: array<u32>; // (R, BLOCKS): third bits, as raw_gather lays them
@group(0) @binding(2) var<storage, read> scales: array<u32>; // (R, BLOCKS / 8, 3): 16 of 6 bits, as the file has them
@group(0) @binding(3) var<storage, read> ranges: array<u32>; // (R, ⌈BLOCKS / 16⌉): d of two blocks of the file as f16

fn decode_block(row: u32, block: u32) -> array<real4, 8> {
    let at = row * BLOCKS + block;
    let run = block % 8u;
    let q = quants[at];
    let h = highs[at];
    let range = unpack2x16float(ranges[row * ((BLOCKS + 15u) / 16u) + block / 16u])[block / 8u % 2u];
    // Scales 2·run and 2·run + 1: nibbles of two bytes, then 2 bits of two others.
    let low = scales[at / 8u * 3u + run % 4u / 2u] >> (run % 2u * 16u + run / 4u * 4u);
    let high = scales[at / 8u * 3u + 2u] >> (run % 2u * 16u + run / 2u * 2u);
    let nibbles = vec2<u32>(low, low >> 8u) & vec2<u32>(15u);
    let tops = vec2<u32>(high, high >> 8u) & vec2<u32>(3u);
    let d = range * (vec2<f32>(nibbles | (tops << vec2<u32>(4u))) - 32.0);
    let d0 = real(d.x);
    let d1 = real(d.y);
    return array<real4, 8>(
        d0 * centred(q.x, h), d0 * centred(q.y, h >> 1u),
        d0 * centred(q.x >> 2u, h >> 2u), d0 * centred(q.y >> 2u, h >> 3u),
        d1 * centred(q.x >> 4u, h >> 4u), d1 * centred(q.y >> 4u, h >> 5u),
        d1 * centred(q.x >> 6u, h >> 6u), d1 * centred(q.y >> 6u, h >> 7u),
    );
}

fn centred(low: u32, high: u32) -> real4 {
    return real4(unpack4xU8((low & 0x03030303u) | ((high & 0x01010101u) << 2u))) - real4(4.0);
}

// File: 32 bytes of third bits (bit r of run r), 64 of quants, 12 of scales, d f16. Byte 32·h + i of the quants
// holds q[i] of four runs.
fn repack_word(row_at: u32, plane: u32, word: u32) -> u32 {
    if (plane == 0u) {
        let run = word / 2u;
        let half = row_at + run / 8u * 110u + 32u + run / 4u % 2u * 32u;
        return raw_gather(half, 2u, run % 4u * 2u, word % 2u);
    }
    if (plane == 1u) {
        return raw_gather(row_at + word / 8u * 110u, 1u, word % 8u, 0u);
    }
    if (plane == 2u) {
        return raw_u32(row_at + word / 3u * 110u + 96u + word % 3u * 4u);
    }
    return raw_pair(row_at + word * 2u * 110u + 108u, 110u, word * 2u + 1u < BLOCKS / 8u);
}
