//! `IQ4_KT`: 256 weights in 128 bytes, `w = d·(scale − 64)·trellis`, 4 weights from each number of 15 bits, a scale of 7 bits for
//! each run of 32, and d for each row (`ik_llama.cpp`, `block_iq4_kt`).
//!
//! ```text
//! file   | d f32, in front of the row |
//!        | a word a run: whether its numbers are 2^15 more, the scale, the high 3 bits of its 8 numbers |
//!        | 8 bytes a run: the low 8 bits | 32 bytes: byte i = 4 bits more of number i | of number i + 32 << 4 |
//! planes | quants: 16 bytes a run, the word, 8 bytes, a nibble a number | row scales: d |
//! ```

use super::iq1_kt::squeeze;
use super::trellis::weight;
use super::{BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, sample_bytes, u32_at};

const BYTES: usize = 128;
const HEAD: usize = 4;
const QUANTS: usize = 32;
const HIGHS: usize = 96;

pub(super) static FORMAT: Format = Format {
    name: "iq4_kt",
    ggml_type: 155,
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
        sample: 1.0 / 4096.0,
    }),
    modules: &["lib/trellis"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let word = u32_at(block, 4 * run);
    let d = row * ((word >> 1 & 127) as f32 - 64.0);
    for (group, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
        let which = 8 * run + group;
        let low = u32::from(block[QUANTS + which]);
        let middle = u32::from(block[HIGHS + which % 32] >> (which / 32 * 4) & 15);
        let top = word >> (8 + 3 * group) & 7;
        let state = (low | middle << 8 | top << 12 | (word & 1) << 15) + 4096;
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * weight(state, i);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    let (block, run) = (HEAD + word / 32 * BYTES, word / 4 % 8);
    match (plane, word % 4) {
        (0, 0) => u32_at(row, block + 4 * run),
        (0, 3) => {
            let at = block + HIGHS + run % 4 * 8;
            let nibbles = |at| squeeze(u32_at(row, at) >> (run / 4 * 4));
            nibbles(at) | nibbles(at + 4) << 16
        }
        (0, n) => u32_at(row, block + QUANTS + 8 * run + 4 * (n - 1)),
        _ => u32_at(row, 0),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
