//! `IQ2_K`: 256 weights in 76 bytes, `w = d·(scale − 8)·(level[q] + shift)` with q of 2 bits, a scale of 4 bits for each
//! 16 weights, and a shift of 0 or 5 (`ik_llama.cpp`, `block_iq2_k`).
//!
//! ```text
//! file   | d f16 | 2 bytes: bit n is set where the nth 16 weights are shifted | 8 bytes: byte r = scales of both halves of run r |
//!        | 64 bytes: byte 32·h + i = q[i] of runs 4·h .. 4·h + 4, 2 bits each |
//! planes | quants: 8 bytes a run, see `gather` | scales: a byte a run | ranges: d and shifts, a word a block |
//! ```

use super::levels::{NL2, shift};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u16_at,
    u32_at,
};

const BYTES: usize = 76;
const SCALES: usize = 4;
const QUANTS: usize = 12;

pub(super) static FORMAT: Format = Format {
    name: "iq2_k",
    ggml_type: 137,
    block_len: 256,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 512,
            element_bytes: 8,
        },
        Plane {
            name: "scales",
            bits_per_block: 64,
            element_bytes: 4,
        },
        Plane {
            name: "ranges",
            bits_per_block: 32,
            element_bytes: 4,
        },
    ],
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (half, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let scale = block[SCALES + run] >> (4 * half) & 15;
        let d = f16_at(block, 0) * (f32::from(scale) - 8.0);
        let shift = shift(u16_at(block, 2), 2 * run + half, 5.0);
        let quants = &block[QUANTS + run / 4 * 32 + 16 * half..][..16];
        for (out, q) in out.iter_mut().zip(quants) {
            let q = q >> (run % 4 * 2) & 3;
            *out = d * (f32::from(NL2[usize::from(q)]) + shift);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 2;
            let half = run / 8 * BYTES + QUANTS + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        1 => u32_at(row, word / 2 * BYTES + SCALES + word % 2 * 4),
        _ => u32_at(row, word * BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 128.0);
}
