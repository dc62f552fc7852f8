//! `TQ1_0`: 256 weights in 54 bytes, `w = d·(q − 1)` with q from 0 to 2, five to a byte (llama.cpp, `block_tq1_0`).
//!
//! A byte b holds q[0] to q[4] as the digits of b / 256 in base 3: q[n] = 3·(b·3^n mod 256) div 256.
//!
//! ```text
//! file   | 32 bytes: digit n of byte i = q[i] of run n, of the first five |
//!        | 16 bytes: digit n of byte i = q[160 + 16·n + i] | 4 bytes: digit n of byte i = q[240 + 4·n + i] | d f16 |
//! planes | quants: the 48 bytes of a block | rest: the 4 bytes | ranges: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 54;
const REST: usize = 48;
const RANGE: usize = 52;

pub(super) static FORMAT: Format = Format {
    name: "tq1_0",
    ggml_type: 34,
    block_len: 256,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 384,
            element_bytes: 16,
        },
        Plane {
            name: "rest",
            bits_per_block: 32,
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

/// Digit `n` of a byte.
fn digit(byte: u8, n: usize) -> f32 {
    let power = [1, 3, 9, 27, 81][n];
    f32::from((u16::from(byte.wrapping_mul(power)) * 3) >> 8)
}

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = f16_at(block, RANGE);
    for (i, out) in out.iter_mut().enumerate() {
        let q = match run * BLOCK_LEN + i {
            at @ 0..160 => digit(block[at % 32], at / 32),
            at @ 160..240 => digit(block[32 + at % 16], (at - 160) / 16),
            at => digit(block[REST + at % 4], (at - 240) / 4),
        };
        *out = d * (q - 1.0);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 12 * BYTES + word % 12 * 4),
        1 => u32_at(row, word * BYTES + REST),
        _ => u16_pair(row, word * 2 * BYTES + RANGE, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, RANGE, sample_unit(random));
}
