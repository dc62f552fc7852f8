//! `IQ1_M`: 256 weights in 56 bytes, `w = d·(2·scale + 1)·(level ± 1/8)` with 8 levels, −1, 0 or 1, a point of a codebook
//! of 2048, and a scale of 3 bits for each 16 (llama.cpp, `block_iq1_m`).
//!
//! ```text
//! file   | 4 bytes a run: points, low 8 bits |
//!        | 2 bytes a run: a nibble a point, its high 3 bits and whether an eighth is taken off |
//!        | 2 bytes for two runs: four scales, and 4 bits of d, the lowest in the first |
//! planes | quants: 4 bytes a run | highs: 2 bytes a run | scales: 8 bytes a block |
//! ```

use super::grid::{IQ1, level1};
use super::{BLOCK_LEN, Format, PLAIN, Plane, sample_bytes, sample_unit, u16_at, u32_at};

const BYTES: usize = 56;
const HIGHS: usize = 32;
const SCALES: usize = 48;

pub(super) static FORMAT: Format = Format {
    name: "iq1_m",
    ggml_type: 29,
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
            element_bytes: 8,
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
    let quarter = |n: usize| u16_at(block, SCALES + 2 * n);
    let range = (0..4).fold(0, |bits, n| bits | quarter(n) >> 12 << (4 * n));
    let range = half::f16::from_bits(range).to_f32();
    let highs = u16_at(block, HIGHS + 2 * run);
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let scale = quarter(run / 2) >> (run % 2 * 6 + group / 2 * 3) & 7;
        let d = range * f32::from(2 * scale + 1);
        let high = highs >> (4 * group) & 15;
        let delta = if high >> 3 == 1 { -0.125 } else { 0.125 };
        let point = IQ1.points()[usize::from(block[4 * run + group]) | usize::from(high & 7) << 8];
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * (level1(point, i) + delta);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 8 * BYTES + word % 8 * 4),
        1 => u32_at(row, word / 4 * BYTES + HIGHS + word % 4 * 4),
        _ => u32_at(row, word / 2 * BYTES + SCALES + word % 2 * 4),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    let range = half::f16::from_f32(sample_unit(random) / 12.0).to_bits();
    for n in 0..4 {
        let [_, high] = (range >> (4 * n) << 12).to_le_bytes();
        let byte = &mut out[SCALES + 2 * n + 1];
        *byte = *byte & 15 | high;
    }
}
