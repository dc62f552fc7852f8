//! `Q6_K`: 256 weights in 210 bytes, `w = d·scale·(q − 32)` with q of 6 bits and a signed byte as scale for each
//! 16 weights (llama.cpp, `block_q6_K`).
//!
//! ```text
//! file   | 128 bytes: byte 64·h + 32·p + i = q[i] & 15 of run 4·h + p | q[i] of run 4·h + p + 2 << 4 |
//!        | 64 bytes: byte 32·h + i = q[i] >> 4 of runs 4·h .. 4·h + 4, 2 bits each | 16 bytes: scales as i8 | d f16 |
//! planes | quants: 16 bytes a run, see `gather` | highs: 8 bytes a run, see `gather` | scales: 2 bytes a run |
//!        | ranges: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u16_pair,
    u32_at,
};

const BYTES: usize = 210;
const HIGHS: usize = 128;
const SCALES: usize = 192;
const RANGE: usize = 208;

pub(super) static FORMAT: Format = Format {
    name: "q6_k",
    ggml_type: 14,
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
    let (half, quarter) = (run / 4, run % 4);
    for (i, out) in out.iter_mut().enumerate() {
        let scale = block[SCALES + run * 2 + i / 16].cast_signed();
        let low = block[half * 64 + quarter % 2 * 32 + i] >> (quarter / 2 * 4) & 15;
        let high = block[HIGHS + half * 32 + i] >> (quarter * 2) & 3;
        *out = d * f32::from(scale) * (f32::from(low | high << 4) - 32.0);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 4;
            let at = run / 8 * BYTES + run / 4 % 2 * 64 + run % 2 * 32;
            gather(row, at, 4, run / 2 % 2 * 4, word % 4)
        }
        1 => {
            let run = word / 2;
            let half = run / 8 * BYTES + HIGHS + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        2 => u32_at(row, word / 4 * BYTES + SCALES + word % 4 * 4),
        _ => u16_pair(row, word * 2 * BYTES + RANGE, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, RANGE, sample_unit(random) / 3072.0);
}
