//! `IQ1_KT`: 256 weights in 56 bytes, `w = d·level[scale]·trellis`, 8 weights from each number of 13 bits, a scale of 4 bits
//! for each run of 32, and d for each row (`ik_llama.cpp`, `block_iq1_kt`).
//!
//! ```text
//! file   | d f32, in front of the row |
//!        | 8 bytes: byte r = scale of run r, above it the highest bit of its 4 numbers | 4 bytes a run: the low 8 bits |
//!        | 16 bytes: byte i = 4 bits more of number i | of number i + 16 << 4 |
//! planes | quants: 4 bytes a run | highs: 2 bytes a run, a nibble a number | scales: a byte a run | row scales: d |
//! ```

use super::levels::{NL4, nibble};
use super::trellis::weight;
use super::{BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, sample_bytes, u32_at};

const BYTES: usize = 56;
const HEAD: usize = 4;
const QUANTS: usize = 8;
const HIGHS: usize = 40;

pub(super) static FORMAT: Format = Format {
    name: "iq1_kt",
    ggml_type: 158,
    block_len: 256,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 256,
            element_bytes: 4,
        },
        Plane {
            name: "highs",
            bits_per_block: 128,
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
    modules: &["lib/trellis"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = row * nibble(&NL4, block[run]);
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let which = 4 * run + group;
        let low = u32::from(block[QUANTS + which]);
        let middle = u32::from(block[HIGHS + which % 16] >> (which / 16 * 4) & 15);
        let top = u32::from(block[run] >> (4 + group) & 1);
        let state = (low | middle << 8 | top << 12) + 4096;
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * weight(state, i);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, HEAD + word / 8 * BYTES + QUANTS + word % 8 * 4),
        1 => {
            let at = HEAD + word / 4 * BYTES + HIGHS + word % 2 * 8;
            let nibbles = |at| squeeze(u32_at(row, at) >> (word % 4 / 2 * 4));
            nibbles(at) | nibbles(at + 4) << 16
        }
        2 => u32_at(row, HEAD + word / 2 * BYTES + word % 2 * 4),
        _ => u32_at(row, 0),
    }
}

/// The low nibbles of four bytes, side by side. Twin of `raw_squeeze` in `shaders/lib/raw.wgsl`.
pub(super) fn squeeze(bytes: u32) -> u32 {
    let pairs = bytes & 0x000f_000f | (bytes & 0x0f00_0f00) >> 4;
    pairs & 0xff | pairs >> 8 & 0xff00
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
