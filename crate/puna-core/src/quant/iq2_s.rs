//! `IQ2_S`: 256 weights in 82 bytes, `w = d·(2·scale + 1)/8·sign·level` with 8 levels a point of a codebook of 1024 and
//! a scale of 4 bits for each 16 (llama.cpp, `block_iq2_s`).
//!
//! ```text
//! file   | d f16 | 4 bytes a run: points, low 8 bits | 4 bytes a run: signs | 8 bytes: byte r = high 2 bits of the 4 points of run r |
//!        | 8 bytes: byte r = scales of both halves of run r |
//! planes | quants: points and signs of a run, 8 bytes | scales: 2 bytes a run, high bits and scales |
//!        | ranges: d of two neighbouring blocks in a word |
//! ```

use super::grid::{IQ2_S, level2, sign};
use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 82;
const QUANTS: usize = 2;
const SIGNS: usize = 34;
const HIGHS: usize = 66;
const SCALES: usize = 74;

pub(super) static FORMAT: Format = Format {
    name: "iq2_s",
    ggml_type: 22,
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
            bits_per_block: 128,
            element_bytes: 4,
        },
        Plane {
            name: "ranges",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    table: || IQ2_S.points(),
    modules: &["lib/table", "lib/points"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (group, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let scale = block[SCALES + run] >> (group / 2 * 4) & 15;
        let d = f16_at(block, 0) * (0.5 + f32::from(scale)) * 0.25;
        let high = block[HIGHS + run] >> (2 * group) & 3;
        let index = usize::from(block[QUANTS + 4 * run + group]) | usize::from(high) << 8;
        let signs = u32::from(block[SIGNS + 4 * run + group]);
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * level2(IQ2_S.points()[index], i) * sign(signs, i);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let part = if word.is_multiple_of(2) {
                QUANTS
            } else {
                SIGNS
            };
            u32_at(row, word / 16 * BYTES + part + word / 2 % 8 * 4)
        }
        1 => {
            let at = word / 4 * BYTES + word % 4 * 2;
            let run = |r: usize| [row[at + HIGHS + r], row[at + SCALES + r]];
            u32::from_le_bytes([run(0)[0], run(0)[1], run(1)[0], run(1)[1]])
        }
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 96.0);
}
