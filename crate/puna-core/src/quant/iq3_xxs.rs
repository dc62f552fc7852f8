//! `IQ3_XXS`: 256 weights in 98 bytes, `w = d·(2·scale + 1)/4·sign·level` with 4 levels a point of a codebook of 256 and
//! a scale of 4 bits for each run of 32 (llama.cpp, `block_iq3_xxs`).
//!
//! ```text
//! file   | d f16 | 8 bytes a run, each a point | a word a run: the signs of each 8 weights, 7 bits, and the scale on top |
//! planes | quants: 8 bytes a run | signs: a word a run | ranges: d of two neighbouring blocks in a word |
//! ```

use super::grid::{IQ3_XXS, bits3, sign, signs};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 98;
const QUANTS: usize = 2;
const SIGNS: usize = 66;

pub(super) static FORMAT: Format = Format {
    name: "iq3_xxs",
    ggml_type: 18,
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
            name: "ranges",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    table: || IQ3_XXS.points(),
    modules: &["lib/table", "lib/points"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

/// Of 3 bits: 4, 12, 20, 28, 36, 44, 52, and 62.
fn level(q: u16) -> f32 {
    f32::from(4 + 8 * q + if q == 7 { 2 } else { 0 })
}

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let word = u32_at(block, SIGNS + 4 * run);
    let d = f16_at(block, 0) * (0.5 + (word >> 28) as f32) * 0.5;
    for (i, out) in out.iter_mut().enumerate() {
        let point = IQ3_XXS.points()[usize::from(block[QUANTS + 8 * run + i / 4])];
        *out = d * level(bits3(point, i % 4)) * sign(signs(word >> (i / 8 * 7)), i % 8);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 16 * BYTES + QUANTS + word % 16 * 4),
        1 => u32_at(row, word / 8 * BYTES + SIGNS + word % 8 * 4),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 256.0);
}
