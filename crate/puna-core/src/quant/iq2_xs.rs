//! `IQ2_XS`: 256 weights in 74 bytes, `w = d·(2·scale + 1)/8·sign·level` with 8 levels a point of a codebook of 512 and
//! a scale of 4 bits for each 16 (llama.cpp, `block_iq2_xs`).
//!
//! ```text
//! file   | d f16 | 8 bytes a run: 2 for each 8 weights, a point of 9 bits and signs of 7 |
//!        | 8 bytes: byte r = scales of both halves of run r |
//! planes | quants: 8 bytes a run | scales: a byte a run | ranges: d of two neighbouring blocks in a word |
//! ```

use super::grid::{IQ2_XS, level2, sign, signs};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_at, u16_pair,
    u32_at,
};

const BYTES: usize = 74;
const QUANTS: usize = 2;
const SCALES: usize = 66;

pub(super) static FORMAT: Format = Format {
    name: "iq2_xs",
    ggml_type: 17,
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
            bits_per_block: 64,
            element_bytes: 4,
        },
        Plane {
            name: "ranges",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    table: || IQ2_XS.points(),
    modules: &["lib/table", "lib/points"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let scales = block[SCALES + run];
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let scale = scales >> (group / 2 * 4) & 15;
        let d = f16_at(block, 0) * (0.5 + f32::from(scale)) * 0.25;
        let both = u16_at(block, QUANTS + 8 * run + 2 * group);
        let (point, signs) = (
            IQ2_XS.points()[usize::from(both & 511)],
            signs(u32::from(both >> 9)),
        );
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * level2(point, i) * sign(signs, i);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 16 * BYTES + QUANTS + word % 16 * 4),
        1 => u32_at(row, word / 2 * BYTES + SCALES + word % 2 * 4),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 96.0);
}
