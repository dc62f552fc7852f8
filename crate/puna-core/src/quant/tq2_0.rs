//! `TQ2_0`: 256 weights in 66 bytes, `w = d·(q − 1)` with q of 2 bits (llama.cpp, `block_tq2_0`).
//!
//! ```text
//! file   | 64 bytes: byte 32·h + i = q[i] of runs 4·h .. 4·h + 4, 2 bits each | d f16 |
//! planes | quants: 8 bytes a run, see `gather` | ranges: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u16_pair,
};

const BYTES: usize = 66;
const RANGE: usize = 64;

pub(super) static FORMAT: Format = Format {
    name: "tq2_0",
    ggml_type: 35,
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
    for (i, out) in out.iter_mut().enumerate() {
        let q = block[run / 4 * 32 + i] >> (run % 4 * 2) & 3;
        *out = d * (f32::from(q) - 1.0);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 2;
            let half = run / 8 * BYTES + run / 4 % 2 * 32;
            gather(row, half, 2, run % 4 * 2, word % 2)
        }
        _ => u16_pair(row, word * 2 * BYTES + RANGE, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, RANGE, sample_unit(random));
}
