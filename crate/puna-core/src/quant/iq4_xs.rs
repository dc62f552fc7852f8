//! `IQ4_XS`: 256 weights in 136 bytes, `w = d·(scale − 32)·level[q]` with q of 4 bits and a scale of 6 bits for each run
//! of 32 (llama.cpp, `block_iq4_xs`).
//!
//! ```text
//! file   | d f16 | 2 bytes: scale[r] >> 4 at bit 2·r | 4 bytes: byte r / 2 = scale[r] & 15 | scale[r + 1] << 4 |
//!        | 16 bytes a run: byte i = q[i] | q[i + 16] << 4 |
//! planes | quants: 16 bytes a run | scales: d and all scales, 8 bytes a block |
//! ```

use super::levels::{NL4, nibble};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_at, u32_at,
};

const BYTES: usize = 136;
const QUANTS: usize = 8;

pub(super) static FORMAT: Format = Format {
    name: "iq4_xs",
    ggml_type: 23,
    block_len: 256,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 1024,
            element_bytes: 16,
        },
        Plane {
            name: "scales",
            bits_per_block: 64,
            element_bytes: 8,
        },
    ],
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let low = u16::from(block[4 + run / 2] >> (run % 2 * 4) & 15);
    let scale = low | (u16_at(block, 2) >> (2 * run) & 3) << 4;
    let d = f16_at(block, 0) * (f32::from(scale) - 32.0);
    for (i, &byte) in block[QUANTS + 16 * run..][..16].iter().enumerate() {
        out[i] = d * nibble(&NL4, byte);
        out[i + 16] = d * nibble(&NL4, byte >> 4);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 32 * BYTES + QUANTS + word % 32 * 4),
        _ => u32_at(row, word / 2 * BYTES + word % 2 * 4),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 2048.0);
}
