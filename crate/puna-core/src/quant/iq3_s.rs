//! `IQ3_S`: 256 weights in 110 bytes, `w = d·(2·scale + 1)·sign·level` with 4 levels a point of a codebook of 512 and a
//! scale of 4 bits for each run of 32 (llama.cpp, `block_iq3_s`).
//!
//! ```text
//! file   | d f16 | 8 bytes a run: points, low 8 bits | 8 bytes: bit i of byte r = ninth bit of point i of run r |
//!        | 4 bytes a run: signs | 4 bytes: byte r / 2 = scale[r] | scale[r + 1] << 4 |
//! planes | quants: 8 bytes a run | signs: a word a run | scales: ninth bits and scales, 12 bytes a block |
//!        | ranges: d of two neighbouring blocks in a word |
//! ```

use super::grid::{IQ3_S, bits3, sign};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 110;
const QUANTS: usize = 2;
const HIGHS: usize = 66;
const SIGNS: usize = 74;
const SCALES: usize = 106;

pub(super) static FORMAT: Format = Format {
    name: "iq3_s",
    ggml_type: 21,
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
            bits_per_block: 96,
            element_bytes: 4,
        },
        Plane {
            name: "ranges",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    table: || IQ3_S.points(),
    modules: &["lib/table", "lib/points"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let scale = block[SCALES + run / 2] >> (run % 2 * 4) & 15;
    let d = f16_at(block, 0) * (1.0 + 2.0 * f32::from(scale));
    let signs = u32_at(block, SIGNS + 4 * run);
    for (i, out) in out.iter_mut().enumerate() {
        let high = block[HIGHS + run] >> (i / 4) & 1;
        let index = usize::from(block[QUANTS + 8 * run + i / 4]) | usize::from(high) << 8;
        let level = 2.0 * f32::from(bits3(IQ3_S.points()[index], i % 4)) + 1.0;
        *out = d * level * sign(signs, i);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 16 * BYTES + QUANTS + word % 16 * 4),
        1 => u32_at(row, word / 8 * BYTES + SIGNS + word % 8 * 4),
        2 => {
            let part = [HIGHS, HIGHS + 4, SCALES][word % 3];
            u32_at(row, word / 3 * BYTES + part)
        }
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 240.0);
}
