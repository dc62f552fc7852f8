//! `IQ4_KSS`: 256 weights in 128 bytes, `w = d·(scale − 127)·(level[q] + shift)` with q of 4 bits, an even scale for each run
//! of 32, a shift of 0 or 4, and d for each row (`ik_llama.cpp`, `block_iq4_kss`).
//!
//! ```text
//! file   | d f32, in front of the row |
//!        | 16 bytes a run: in each 2 bytes v, the lowest bit is one of the scale and shift, lowest first;
//!        |   the others w = v & !1 hold, as the nibbles of w ^ w >> 1, q[i], q[i + 16], q[i + 1], q[i + 17] |
//! planes | quants: 16 bytes a run | row scales: d |
//! ```

use super::iq4_ks::scale_and_shift;
use super::levels::{NL4, nibble};
use super::{BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, sample_bytes, u16_at, u32_at};

const BYTES: usize = 128;
const HEAD: usize = 4;

pub(super) static FORMAT: Format = Format {
    name: "iq4_kss",
    ggml_type: 146,
    block_len: 256,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 1024,
            element_bytes: 16,
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

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let pair = |n: usize| u16_at(block, 16 * run + 2 * n);
    let scale = (0..8).fold(0, |bits, n| bits | (pair(n) & 1) << n);
    let [scale, _] = scale.to_le_bytes();
    let (scale, shift) = scale_and_shift(scale, 4.0);
    for n in 0..8 {
        let even = pair(n) & !1;
        for (i, q) in (even ^ even >> 1).to_le_bytes().into_iter().enumerate() {
            out[2 * n + i] = row * scale * (nibble(&NL4, q) + shift);
            out[2 * n + i + 16] = row * scale * (nibble(&NL4, q >> 4) + shift);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, HEAD + word * 4),
        _ => u32_at(row, 0),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
