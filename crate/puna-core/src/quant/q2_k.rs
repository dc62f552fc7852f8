//! `Q2_K`: 256 weights in 84 bytes, `w = d·scale·q − dmin·min` with q of 2 bits, a scale and a min of 4 bits for
//! each 16 weights (llama.cpp, `block_q2_K`).
//!
//! ```text
//! file   | 16 bytes: byte i = scale[i] | min[i] << 4 |
//!        | 64 bytes: byte 32·h + i = q[i] of runs 4·h .. 4·h + 4, 2 bits each | d f16 | dmin f16 |
//! planes | quants: 8 bytes a run, see `gather` | scales: 2 bytes a run | ranges: d, dmin as two f16 in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u32_at,
};

const BYTES: usize = 84;
const QUANTS: usize = 16;
const RANGES: usize = 80;

pub(super) static FORMAT: Format = Format {
    name: "q2_k",
    ggml_type: 10,
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
            bits_per_block: 128,
            element_bytes: 4,
        },
        Plane {
            name: "ranges",
            bits_per_block: 32,
            element_bytes: 4,
        },
    ],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let (d, dmin) = (f16_at(block, RANGES), f16_at(block, RANGES + 2));
    for (i, out) in out.iter_mut().enumerate() {
        let scale = block[run * 2 + i / 16];
        let q = block[QUANTS + run / 4 * 32 + i] >> (run % 4 * 2) & 3;
        *out = d * f32::from(scale & 15) * f32::from(q) - dmin * f32::from(scale >> 4);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 2;
            let half = run / 8 * BYTES + QUANTS + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        1 => u32_at(row, word / 4 * BYTES + word % 4 * 4),
        _ => u32_at(row, word * BYTES + RANGES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    let d = sample_unit(random) / 32.0;
    put_f16(out, RANGES, d);
    put_f16(out, RANGES + 2, 1.5 * d + sample_unit(random) / 64.0);
}
