//! `IQ1_S`: 256 weights in 50 bytes, `w = d·(2·scale + 1)·(level ± 1/8)` with 8 levels, −1, 0 or 1, a point of a codebook
//! of 2048, and a scale of 3 bits for each run of 32 (llama.cpp, `block_iq1_s`).
//!
//! ```text
//! file   | d f16 | 4 bytes a run: points, low 8 bits |
//!        | 2 bytes a run: high 3 bits of each point, the scale, and, on top, whether an eighth is taken off |
//! planes | quants: 4 bytes a run | highs: 2 bytes a run | ranges: d of two neighbouring blocks in a word |
//! ```

use super::grid::{IQ1, level1};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_at, u16_pair,
    u32_at,
};

const BYTES: usize = 50;
const QUANTS: usize = 2;
const HIGHS: usize = 34;

pub(super) static FORMAT: Format = Format {
    name: "iq1_s",
    ggml_type: 19,
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
            name: "ranges",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    table: || IQ1.points(),
    modules: &["lib/table", "lib/points"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let highs = u16_at(block, HIGHS + 2 * run);
    let d = f16_at(block, 0) * f32::from(2 * (highs >> 12 & 7) + 1);
    let delta = if highs >> 15 == 1 { -0.125 } else { 0.125 };
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let low = usize::from(block[QUANTS + 4 * run + group]);
        let point = IQ1.points()[low | usize::from(highs >> (3 * group) & 7) << 8];
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * (level1(point, i) + delta);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 8 * BYTES + QUANTS + word % 8 * 4),
        1 => u32_at(row, word / 4 * BYTES + HIGHS + word % 4 * 4),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 12.0);
}
