//! `IQ6_K`: 256 weights in 212 bytes, `w = d·scale·(level[q] + shift)` with q of 6 bits, a signed byte as scale for each 16
//! weights, and a shift of 0 or 1 (`ik_llama.cpp`, `block_iq6_k`). Its row decoder computes levels by a cubic; its
//! matrix kernels have those that are rounded to integers, as here.
//!
//! ```text
//! file   | d f16 | 2 bytes: bit n is set where the nth 16 weights are shifted | 16 bytes: scales as i8 |
//!        | 128 bytes: byte 32·p + i = q[i] & 15 of run 2·p | q[i] & 15 of run 2·p + 1 << 4 |
//!        | 64 bytes: byte 32·h + i = q[i] >> 4 of runs 4·h .. 4·h + 4, 2 bits each |
//! planes | quants: 16 bytes a run, see `gather` | highs: 8 bytes a run, see `gather` | scales: 2 bytes a run |
//!        | ranges: d and shifts, a word a block |
//! ```

use super::levels::{NL6, shift, table};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u16_at,
    u32_at,
};

const BYTES: usize = 212;
const SCALES: usize = 4;
const QUANTS: usize = 20;
const HIGHS: usize = 148;

static LEVELS: [u16; 32] = table(&NL6);

pub(super) static FORMAT: Format = Format {
    name: "iq6_k",
    ggml_type: 141,
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
            name: "highs",
            bits_per_block: 512,
            element_bytes: 8,
        },
        Plane {
            name: "scales",
            bits_per_block: 128,
            element_bytes: 4,
        },
        Plane {
            name: "ranges",
            bits_per_block: 32,
            element_bytes: 4,
        },
    ],
    table: || &LEVELS,
    modules: &["lib/table", "lib/looked_up"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (half, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let scale = block[SCALES + 2 * run + half].cast_signed();
        let d = f16_at(block, 0) * f32::from(scale);
        let shift = shift(u16_at(block, 2), 2 * run + half, 1.0);
        for (i, out) in out.iter_mut().enumerate() {
            let at = 16 * half + i;
            let low = block[QUANTS + run / 2 * 32 + at] >> (run % 2 * 4) & 15;
            let high = block[HIGHS + run / 4 * 32 + at] >> (run % 4 * 2) & 3;
            *out = d * (f32::from(NL6[usize::from(low | high << 4)]) + shift);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 4;
            let pair = run / 8 * BYTES + QUANTS + run / 2 % 4 * 32;
            gather(row, pair, 4, run % 2 * 4, word % 4)
        }
        1 => {
            let run = word / 2;
            let half = run / 8 * BYTES + HIGHS + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        2 => u32_at(row, word / 4 * BYTES + SCALES + word % 4 * 4),
        _ => u32_at(row, word * BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 8192.0);
}
