//! `IQ5_K`: 256 weights in 176 bytes, `w = d·(scale − 32)·(level[q] + shift)` with q of 5 bits, a scale of 6 bits for each
//! 16 weights, and a shift of 0 or 2 (`ik_llama.cpp`, `block_iq5_k`).
//!
//! ```text
//! file   | 16 bytes as in `IQ4_K` | 128 bytes: byte 32·p + i = q[i] & 15 of run 2·p | q[i] & 15 of run 2·p + 1 << 4 |
//!        | 32 bytes: bit r of byte i = q[i] >> 4 of run r |
//! planes | quants: 16 bytes a run, see `gather` | highs: a word a run, see `gather` | heads: 16 bytes a block |
//! ```

use super::iq4_k::scale;
use super::levels::{NL5, shift, table};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u16_at,
    u32_at,
};

const BYTES: usize = 176;
const QUANTS: usize = 16;
const HIGHS: usize = 144;

static LEVELS: [u16; 16] = table(&NL5);

pub(super) static FORMAT: Format = Format {
    name: "iq5_k",
    ggml_type: 140,
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
            bits_per_block: 256,
            element_bytes: 4,
        },
        Plane {
            name: "heads",
            bits_per_block: 128,
            element_bytes: 16,
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
        let d = f16_at(block, 0) * scale(block, run, half);
        let shift = shift(u16_at(block, 2), 2 * run + half, 2.0);
        for (i, out) in out.iter_mut().enumerate() {
            let at = 16 * half + i;
            let low = block[QUANTS + run / 2 * 32 + at] >> (run % 2 * 4) & 15;
            let high = block[HIGHS + at] >> run & 1;
            *out = d * (f32::from(NL5[usize::from(low | high << 4)]) + shift);
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
        1 => gather(row, word / 8 * BYTES + HIGHS, 1, word % 8, 0),
        _ => u32_at(row, word / 4 * BYTES + word % 4 * 4),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 2304.0);
}
