//! `Q5_K`: 256 weights in 176 bytes, `w = d·scale·q − dmin·min` with q of 5 bits, a scale and a min of 6 bits for
//! each run of 32 (llama.cpp, `block_q5_K`).
//!
//! ```text
//! file   | d f16 | dmin f16 | 12 bytes: scales and mins, as `Q4_K`'s | 32 bytes: bit r of byte i = q[i] >> 4 of run r |
//!        | 128 bytes: byte 32·p + i = q[i] & 15 of run 2·p | q[i] of run 2·p + 1 << 4 |
//! planes | quants: 16 bytes a run, see `gather` | highs: a word a run, see `gather` |
//!        | scales: d, dmin and the 12 bytes |
//! ```

use super::q4_k::scale_and_min;
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u32_at,
};

const BYTES: usize = 176;
const HIGHS: usize = 16;
const QUANTS: usize = 48;

pub(super) static FORMAT: Format = Format {
    name: "q5_k",
    ggml_type: 13,
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
            bits_per_block: 128,
            element_bytes: 16,
        },
    ],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let (d, dmin) = (f16_at(block, 0), f16_at(block, 2));
    let (scale, min) = scale_and_min(&block[4..HIGHS], run);
    for (i, out) in out.iter_mut().enumerate() {
        let low = block[QUANTS + run / 2 * 32 + i] >> (run % 2 * 4) & 15;
        let q = low | (block[HIGHS + i] >> run & 1) << 4;
        *out = d * scale * f32::from(q) - dmin * min;
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
    let d = sample_unit(random) / 1280.0;
    put_f16(out, 0, d);
    put_f16(out, 2, 15.5 * d + sample_unit(random) / 1024.0);
}
