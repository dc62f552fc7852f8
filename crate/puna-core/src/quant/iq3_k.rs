//! `IQ3_K`: 256 weights in 110 bytes, `w = ±d·(2·scale + 1)·(level[q] + shift)` with q of 3 bits, a scale of 4 bits for each
//! 16 weights, and a shift of 0 or 4 (`ik_llama.cpp`, `block_iq3_k`).
//!
//! ```text
//! file   | d f16 | 2 bytes: bit n is set where the nth 16 weights are shifted | 2 bytes: where they are −d |
//!        | 8 bytes: byte r = scales of both halves of run r |
//!        | 64 bytes: byte 32·h + i = q[i] & 3 of runs 4·h .. 4·h + 4, 2 bits each | 32 bytes: bit r of byte i = q[i] >> 2 of run r |
//! planes | quants: 8 bytes a run, see `gather` | highs: a word a run, see `gather` |
//!        | heads: the first 14 bytes of a block in 16 |
//! ```

use super::levels::{NL3, shift};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u16_at,
    u32_at,
};

const BYTES: usize = 110;
const SCALES: usize = 6;
const QUANTS: usize = 14;
const HIGHS: usize = 78;

pub(super) static FORMAT: Format = Format {
    name: "iq3_k",
    ggml_type: 138,
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
            name: "highs",
            bits_per_block: 256,
            element_bytes: 4,
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

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (half, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let which = 2 * run + half;
        let scale = block[SCALES + run] >> (4 * half) & 15;
        let sign = 1.0 - shift(u16_at(block, 4), which, 2.0);
        let d = f16_at(block, 0) * sign * f32::from(2 * scale + 1);
        let shift = shift(u16_at(block, 2), which, 4.0);
        for (i, out) in out.iter_mut().enumerate() {
            let at = 16 * half + i;
            let low = block[QUANTS + run / 4 * 32 + at] >> (run % 4 * 2) & 3;
            let high = block[HIGHS + at] >> run & 1;
            *out = d * (f32::from(NL3[usize::from(low | high << 2)]) + shift);
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
        1 => gather(row, word / 8 * BYTES + HIGHS, 1, word % 8, 0),
        _ => {
            let at = word / 4 * BYTES + word % 4 * 4;
            match word % 4 {
                3 => u32::from(u16_at(row, at)),
                _ => u32_at(row, at),
            }
        }
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 1280.0);
}
