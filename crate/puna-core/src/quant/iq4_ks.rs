//! `IQ4_KS`: 256 weights in 136 bytes, `w = d·(scale − 127)·(level[q] + shift)` with q of 4 bits, an even scale for each run
//! of 32, a shift of 0 or 4, and d for each row (`ik_llama.cpp`, `block_iq4_ks`).
//!
//! ```text
//! file   | d f32, in front of the row |
//!        | 8 bytes: byte r = scale of run r, and its lowest bit is set where it is shifted |
//!        | 16 bytes a run: byte i = q[i] | q[i + 16] << 4 |
//! planes | quants: 16 bytes a run | scales: a byte a run | row scales: d |
//! ```

use super::levels::{NL4, nibble, shift};
use super::{BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, sample_bytes, u32_at};

const BYTES: usize = 136;
const HEAD: usize = 4;
const QUANTS: usize = 8;

pub(super) static FORMAT: Format = Format {
    name: "iq4_ks",
    ggml_type: 144,
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
            element_bytes: 4,
        },
        ROW_SCALES,
    ],
    row_scale: Some(RowScale {
        bytes: 4,
        sample: 1.0 / 8192.0,
    }),
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

/// Scale of a run, and what its levels are shifted by: out of the byte of `IQ4_KS` and theirs.
pub(super) fn scale_and_shift(byte: u8, by: f32) -> (f32, f32) {
    (f32::from(byte & 254) - 127.0, shift(u16::from(byte), 0, by))
}

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let (scale, shift) = scale_and_shift(block[run], 4.0);
    for (i, &byte) in block[QUANTS + 16 * run..][..16].iter().enumerate() {
        out[i] = row * scale * (nibble(&NL4, byte) + shift);
        out[i + 16] = row * scale * (nibble(&NL4, byte >> 4) + shift);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, HEAD + word / 32 * BYTES + QUANTS + word % 32 * 4),
        1 => u32_at(row, HEAD + word / 2 * BYTES + word % 2 * 4),
        _ => u32_at(row, 0),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
