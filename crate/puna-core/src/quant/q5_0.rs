//! Q5_0: 32 weights in 22 bytes, `w = d·(q − 16)` with q of 5 bits (llama.cpp, `block_q5_0`).
//!
//! ```text
//! file   | d f16 | 4 bytes: bit i = q[i] >> 4 | 16 bytes: byte i = q[i] & 15 | q[i + 16] << 4 |
//! planes | quants: 16 bytes a block | highs: a word a block, see `spread` |
//!        | scales: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, spread, u16_pair,
    u32_at,
};

const BYTES: usize = 22;

pub(super) static FORMAT: Format = Format {
    name: "q5_0",
    ggml_type: 6,
    block_len: BLOCK_LEN,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 128,
            element_bytes: 16,
        },
        Plane {
            name: "highs",
            bits_per_block: 32,
            element_bytes: 4,
        },
        Plane {
            name: "scales",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], _run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = f16_at(block, 0);
    let high = u32_at(block, 2);
    for (i, &byte) in block[6..BYTES].iter().enumerate() {
        let (low, top) = (high >> i & 1, high >> (i + 16) & 1);
        out[i] = d * (f32::from(byte & 15) + 16.0 * low as f32 - 16.0);
        out[i + 16] = d * (f32::from(byte >> 4) + 16.0 * top as f32 - 16.0);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 4 * BYTES + 6 + word % 4 * 4),
        1 => spread(u32_at(row, word * BYTES + 2)),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 16.0);
}
