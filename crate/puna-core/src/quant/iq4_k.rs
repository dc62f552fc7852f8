//! `IQ4_K`: 256 weights in 144 bytes, `w = d·(scale − 32)·(level[q] + shift)` with q of 4 bits, a scale of 6 bits for each
//! 16 weights, and a shift of 0 or 4 (`ik_llama.cpp`, `block_iq4_k`).
//!
//! ```text
//! file   | d f16 | 2 bytes: bit n is set where the nth 16 weights are shifted |
//!        | 4 bytes: scale[n] >> 4 at bit 2·n | 8 bytes: byte r = scales & 15 of both halves of run r |
//!        | 16 bytes a run: byte i = q[i] | q[i + 16] << 4 |
//! planes | quants: 16 bytes a run | heads: the first 16 bytes of a block |
//! ```

use super::levels::{NL4, nibble, shift};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_at, u32_at,
};

const BYTES: usize = 144;
const HIGH_SCALES: usize = 4;
const SCALES: usize = 8;
const QUANTS: usize = 16;

pub(super) static FORMAT: Format = Format {
    name: "iq4_k",
    ggml_type: 139,
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
            name: "heads",
            bits_per_block: 128,
            element_bytes: 16,
        },
    ],
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

/// Scale of a half of a run, out of the heads of `IQ4_K` and `IQ5_K`.
pub(super) fn scale(block: &[u8], run: usize, half: usize) -> f32 {
    let low = block[SCALES + run] >> (4 * half) & 15;
    let high = block[HIGH_SCALES + run / 2] >> (run % 2 * 4 + 2 * half) & 3;
    f32::from(low | high << 4) - 32.0
}

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (half, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let d = f16_at(block, 0) * scale(block, run, half);
        let shift = shift(u16_at(block, 2), 2 * run + half, 4.0);
        for (out, q) in out.iter_mut().zip(&block[QUANTS + 16 * run..]) {
            *out = d * (nibble(&NL4, q >> (4 * half)) + shift);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 32 * BYTES + QUANTS + word % 32 * 4),
        _ => u32_at(row, word / 4 * BYTES + word % 4 * 4),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 2304.0);
}
