//! `Q6_0`: 32 weights in 26 bytes, `w = d·(q − 32)` with q of 6 bits (`ik_llama.cpp`, `block_q6_0`).
//!
//! ```text
//! file   | d f16 | 8 bytes: byte i = q[i] >> 4 | q[i + 16] >> 4 << 2 | q[i + 8] >> 4 << 4 | q[i + 24] >> 4 << 6 |
//!        | 16 bytes: byte i = q[i] & 15 | q[i + 16] << 4 |
//! planes | quants: 16 bytes a block | highs: 8 bytes a block | scales: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 26;
const HIGHS: usize = 2;
const QUANTS: usize = 10;

pub(super) static FORMAT: Format = Format {
    name: "q6_0",
    ggml_type: 133,
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
            bits_per_block: 64,
            element_bytes: 8,
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
    for (i, out) in out.iter_mut().enumerate() {
        let low = block[QUANTS + i % 16] >> (i / 16 * 4) & 15;
        let high = block[HIGHS + i % 8] >> (i / 8 % 2 * 4 + i / 16 * 2) & 3;
        *out = d * (f32::from(low | high << 4) - 32.0);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 4 * BYTES + QUANTS + word % 4 * 4),
        1 => u32_at(row, word / 2 * BYTES + HIGHS + word % 2 * 4),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 24.0);
}
