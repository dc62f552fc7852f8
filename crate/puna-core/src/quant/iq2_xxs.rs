//! `IQ2_XXS`: 256 weights in 66 bytes, `w = d·(2·scale + 1)/8·sign·level` with 8 levels a point of a codebook of 256 and
//! a scale of 4 bits for each run of 32 (llama.cpp, `block_iq2_xxs`).
//!
//! ```text
//! file   | d f16 | 8 bytes a run: 4 bytes, each a point; a word with the signs of each point, 7 bits, and the scale on top |
//! planes | quants: the 8 bytes of a run | ranges: d of two neighbouring blocks in a word |
//! ```

use super::grid::{IQ2_XXS, level2, sign, signs};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 66;
const QUANTS: usize = 2;

pub(super) static FORMAT: Format = Format {
    name: "iq2_xxs",
    ggml_type: 16,
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
    table: || IQ2_XXS.points(),
    modules: &["lib/table", "lib/points"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let at = QUANTS + 8 * run;
    let word = u32_at(block, at + 4);
    let d = f16_at(block, 0) * (0.5 + (word >> 28) as f32) * 0.25;
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let point = IQ2_XXS.points()[usize::from(block[at + group])];
        let signs = signs(word >> (7 * group));
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * level2(point, i) * sign(signs, i);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 16 * BYTES + QUANTS + word % 16 * 4),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 96.0);
}
