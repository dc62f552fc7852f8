//! `IQ2_KT`: 256 weights in 68 bytes, `w = d·level[scale]·trellis`, 8 weights from each number of 16 bits, a scale of 4 bits
//! for each run of 32, and d for each row (`ik_llama.cpp`, `block_iq2_kt`).
//!
//! ```text
//! file   | d f32, in front of the row |
//!        | 4 bytes: byte r % 4 = scale[r] | scale[r + 4] << 4 | 8 bytes a run: 4 numbers |
//! planes | quants: 8 bytes a run | scales: 4 bytes a block | row scales: d |
//! ```

use super::levels::{NL4, nibble};
use super::trellis::weight;
use super::{BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, sample_bytes, u16_at, u32_at};

const BYTES: usize = 68;
const HEAD: usize = 4;
const QUANTS: usize = 4;

pub(super) static FORMAT: Format = Format {
    name: "iq2_kt",
    ggml_type: 153,
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
            bits_per_block: 32,
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
    let d = row * nibble(&NL4, block[run % 4] >> (run / 4 * 4));
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let state = u32::from(u16_at(block, QUANTS + 8 * run + 2 * group)) + 4096;
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * weight(state, i);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, HEAD + word / 16 * BYTES + QUANTS + word % 16 * 4),
        1 => u32_at(row, HEAD + word * BYTES),
        _ => u32_at(row, 0),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
