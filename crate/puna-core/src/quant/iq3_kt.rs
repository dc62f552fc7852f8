//! `IQ3_KT`: 256 weights in 100 bytes, `w = ±d·scale·|trellis|`, 8 weights from each number of 16 bits, a scale of 4 bits for
//! each run of 32, and d for each row (`ik_llama.cpp`, `block_iq3_kt`).
//!
//! ```text
//! file   | d f32, in front of the row |
//!        | 4 bytes: byte r % 4 = scale[r] | scale[r + 4] << 4 | 8 bytes a run: 4 numbers |
//!        | 32 bytes: bit r of byte i is set where weight i of run r is less than 0 |
//! planes | quants: 8 bytes a run | signs: a word a run, see `gather` | scales: 4 bytes a block | row scales: d |
//! ```

use super::grid::sign;
use super::trellis::weight;
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, gather, sample_bytes, u16_at, u32_at,
};

const BYTES: usize = 100;
const HEAD: usize = 4;
const QUANTS: usize = 4;
const SIGNS: usize = 68;

pub(super) static FORMAT: Format = Format {
    name: "iq3_kt",
    ggml_type: 154,
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
            name: "signs",
            bits_per_block: 256,
            element_bytes: 4,
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
        sample: 1.0 / 1024.0,
    }),
    modules: &["lib/trellis"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = row * f32::from(block[run % 4] >> (run / 4 * 4) & 15);
    for (i, out) in out.iter_mut().enumerate() {
        let state = u32::from(u16_at(block, QUANTS + 8 * run + i / 8 * 2)) + 4096;
        let size = weight(state, i % 8).abs();
        *out = d * sign(u32::from(block[SIGNS + i]), run) * size;
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, HEAD + word / 16 * BYTES + QUANTS + word % 16 * 4),
        1 => gather(row, HEAD + word / 8 * BYTES + SIGNS, 1, word % 8, 0),
        2 => u32_at(row, HEAD + word * BYTES),
        _ => u32_at(row, 0),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
