//! `IQ5_KS`: 256 weights in 168 bytes, `w = d·(scale − 127)·(level[q] + shift)` with q of 5 bits, an even scale for each run
//! of 32, a shift of 0 or 2, and d for each row (`ik_llama.cpp`, `block_iq5_ks`).
//!
//! ```text
//! file   | d f32, in front of the row |
//!        | 8 bytes as in `IQ4_KS` | 128 bytes: byte 32·p + i = q[i] & 15 of run 2·p | q[i] & 15 of run 2·p + 1 << 4 |
//!        | 32 bytes: bit r of byte i = q[i] >> 4 of run r |
//! planes | quants: 16 bytes a run, see `gather` | highs: a word a run, see `gather` | scales: a byte a run |
//!        | row scales: d |
//! ```

use super::iq4_ks::scale_and_shift;
use super::levels::{NL5, table};
use super::{BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, gather, sample_bytes, u32_at};

const BYTES: usize = 168;
const HEAD: usize = 4;
const QUANTS: usize = 8;
const HIGHS: usize = 136;

static LEVELS: [u16; 16] = table(&NL5);

pub(super) static FORMAT: Format = Format {
    name: "iq5_ks",
    ggml_type: 152,
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
    table: || &LEVELS,
    modules: &["lib/table", "lib/looked_up"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let (scale, shift) = scale_and_shift(block[run], 2.0);
    for (i, out) in out.iter_mut().enumerate() {
        let low = block[QUANTS + run / 2 * 32 + i] >> (run % 2 * 4) & 15;
        let high = block[HIGHS + i] >> run & 1;
        *out = row * scale * (f32::from(NL5[usize::from(low | high << 4)]) + shift);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 4;
            let pair = HEAD + run / 8 * BYTES + QUANTS + run / 2 % 4 * 32;
            gather(row, pair, 4, run % 2 * 4, word % 4)
        }
        1 => gather(row, HEAD + word / 8 * BYTES + HIGHS, 1, word % 8, 0),
        2 => u32_at(row, HEAD + word / 2 * BYTES + word % 2 * 4),
        _ => u32_at(row, 0),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
