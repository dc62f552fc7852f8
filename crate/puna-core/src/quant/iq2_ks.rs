//! `IQ2_KS`: 256 weights in 70 bytes, `w = d·(scale − 16)·(level[q] + shift)` with q of 2 bits, a scale of 5 bits for each run
//! of 32, a shift of 0 or 5, and d for each row (`ik_llama.cpp`, `block_iq2_ks`).
//!
//! ```text
//! file   | d f16, in front of the row |
//!        | 2 bytes: bit r is set where run r is shifted, bit 8 + r = scale[r] >> 4 | 4 bytes: byte r / 2 = scales & 15 |
//!        | 64 bytes: byte 32·h + i = q[i] of runs 4·h .. 4·h + 4, 2 bits each |
//! planes | quants: 8 bytes a run, see `gather` | scales: 6 bytes of a block in 8 | row scales: d |
//! ```

use super::levels::{NL2, shift};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, gather, sample_bytes, u16_at, u32_at,
};

const BYTES: usize = 70;
const HEAD: usize = 2;
const SCALES: usize = 2;
const QUANTS: usize = 6;

pub(super) static FORMAT: Format = Format {
    name: "iq2_ks",
    ggml_type: 145,
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
            element_bytes: 8,
        },
        ROW_SCALES,
    ],
    row_scale: Some(RowScale {
        bytes: 2,
        sample: 1.0 / 256.0,
    }),
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let extra = u16_at(block, 0);
    let low = block[SCALES + run / 2] >> (run % 2 * 4) & 15;
    let scale = f32::from(low) + shift(extra, 8 + run, 16.0) - 16.0;
    let shift = shift(extra, run, 5.0);
    for (out, q) in out.iter_mut().zip(&block[QUANTS + run / 4 * 32..]) {
        let q = q >> (run % 4 * 2) & 3;
        *out = row * scale * (f32::from(NL2[usize::from(q)]) + shift);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 2;
            let half = HEAD + run / 8 * BYTES + QUANTS + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        1 => {
            let block = HEAD + word / 2 * BYTES;
            match word % 2 {
                0 => u32::from(u16_at(row, block)),
                _ => u32_at(row, block + SCALES),
            }
        }
        _ => u32::from(u16_at(row, 0)),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
