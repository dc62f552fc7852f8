//! `IQ3_KS`: 256 weights in 102 bytes, `w = d·(scale − 16)·(level[q] + shift)` with q of 3 bits, a scale of 5 bits for each run
//! of 32, a shift of 0 or 4, and d for each row (`ik_llama.cpp`, `block_iq3_ks`).
//!
//! ```text
//! file   | d f16, in front of the row |
//!        | 2 bytes: bit r = scale[r] >> 4, bit 8 + r is set where run r is shifted |
//!        | 4 bytes: byte r % 4 = scale[r] & 15 | scale[r + 4] << 4 |
//!        | 64 bytes: byte 32·h + i = q[i] & 3 of runs 4·h .. 4·h + 4, 2 bits each | 32 bytes: bit r of byte i = q[i] >> 2 of run r |
//! planes | quants: 8 bytes a run, see `gather` | highs: a word a run, see `gather` | scales: 6 bytes of a block in 8 |
//!        | row scales: d |
//! ```

use super::levels::{NL3, shift};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, gather, sample_bytes, u16_at, u32_at,
};

const BYTES: usize = 102;
const HEAD: usize = 2;
const SCALES: usize = 2;
const QUANTS: usize = 6;
const HIGHS: usize = 70;

pub(super) static FORMAT: Format = Format {
    name: "iq3_ks",
    ggml_type: 156,
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
            name: "scales",
            bits_per_block: 64,
            element_bytes: 8,
        },
        ROW_SCALES,
    ],
    row_scale: Some(RowScale {
        bytes: 2,
        sample: 1.0 / 512.0,
    }),
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let extra = u16_at(block, 0);
    let low = block[SCALES + run % 4] >> (run / 4 * 4) & 15;
    let scale = f32::from(low) + shift(extra, run, 16.0) - 16.0;
    let shift = shift(extra, 8 + run, 4.0);
    for (i, out) in out.iter_mut().enumerate() {
        let low = block[QUANTS + run / 4 * 32 + i] >> (run % 4 * 2) & 3;
        let high = block[HIGHS + i] >> run & 1;
        *out = row * scale * (f32::from(NL3[usize::from(low | high << 2)]) + shift);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 2;
            let half = HEAD + run / 8 * BYTES + QUANTS + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        1 => gather(row, HEAD + word / 8 * BYTES + HIGHS, 1, word % 8, 0),
        2 => {
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
