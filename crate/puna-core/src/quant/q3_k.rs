//! `Q3_K`: 256 weights in 110 bytes, `w = d·(scale − 32)·(q − 4)` with q of 3 bits and a scale of 6 bits for each
//! 16 weights (llama.cpp, `block_q3_K`).
//!
//! ```text
//! file   | 32 bytes: bit r of byte i = q[i] >> 2 of run r |
//!        | 64 bytes: byte 32·h + i = q[i] & 3 of runs 4·h .. 4·h + 4, 2 bits each |
//!        | 12 bytes: byte i of 8 = scale[i] & 15 | (scale[i + 8] & 15) << 4,
//!        |   byte 8 + i = scale[i + 4·n] >> 4 at bit 2·n | d f16 |
//! planes | quants: 8 bytes a run, see `gather` | highs: a word a run, see `gather` | scales: 12 bytes a block |
//!        | ranges: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u16_pair,
    u32_at,
};

const BYTES: usize = 110;
const QUANTS: usize = 32;
const SCALES: usize = 96;
const RANGE: usize = 108;

pub(super) static FORMAT: Format = Format {
    name: "q3_k",
    ggml_type: 11,
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
            bits_per_block: 96,
            element_bytes: 4,
        },
        Plane {
            name: "ranges",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = f16_at(block, RANGE);
    let scales = &block[SCALES..RANGE];
    for (i, out) in out.iter_mut().enumerate() {
        let which = run * 2 + i / 16;
        let low = scales[which % 8] >> (which / 8 * 4) & 15;
        let scale = low | (scales[8 + which % 4] >> (which / 4 * 2) & 3) << 4;
        let low = block[QUANTS + run / 4 * 32 + i] >> (run % 4 * 2) & 3;
        let q = low | (block[i] >> run & 1) << 2;
        *out = d * (f32::from(scale) - 32.0) * (f32::from(q) - 4.0);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 2;
            let half = run / 8 * BYTES + QUANTS + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        1 => gather(row, word / 8 * BYTES, 1, word % 8, 0),
        2 => u32_at(row, word / 3 * BYTES + SCALES + word % 3 * 4),
        _ => u16_pair(row, word * 2 * BYTES + RANGE, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, RANGE, sample_unit(random) / 96.0);
}
