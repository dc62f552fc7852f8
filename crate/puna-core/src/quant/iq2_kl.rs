//! `IQ2_KL`: 256 weights in 86 bytes, `w = d·(scale − 32)·level`, two levels for each q of 5 bits, a scale of 6 bits for each
//! run of 32, and d for each row (`ik_llama.cpp`, `block_iq2_kl`).
//!
//! ```text
//! file   | d f16, in front of the row |
//!        | 2 bytes: scale[r] >> 4 at bit 2·r | 4 bytes: byte r % 4 = scale[r] & 15 | scale[r + 4] << 4 |
//!        | 64 bytes: byte 16·p + i = q[i] & 15 of run 2·p | q[i] & 15 of run 2·p + 1 << 4 | 16 bytes: bit r of byte i = q[i] >> 4 of run r |
//! planes | quants: 8 bytes a run, the nibbles of q[i] and q[i + 8] in byte i | highs: 2 bytes a run, bit i of q[i] |
//!        | scales: 6 bytes of a block in 8 | row scales: d |
//! ```

use super::levels::PAIRS;
use super::{BLOCK_LEN, Format, PLAIN, Plane, ROW_SCALES, RowScale, sample_bytes, u16_at, u32_at};

const BYTES: usize = 86;
const HEAD: usize = 2;
const SCALES: usize = 2;
const QUANTS: usize = 6;
const HIGHS: usize = 70;

pub(super) static FORMAT: Format = Format {
    name: "iq2_kl",
    ggml_type: 157,
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
            name: "highs",
            bits_per_block: 128,
            element_bytes: 4,
        },
        Plane {
            name: "scales",
            bits_per_block: 64,
            element_bytes: 8,
        },
        ROW_SCALES,
    ],
    row_scale: Some(RowScale {
        bytes: 2,
        sample: 1.0 / 1024.0,
    }),
    table: || &PAIRS,
    modules: &["lib/table"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let low = block[SCALES + run % 4] >> (run / 4 * 4) & 15;
    let high = u16_at(block, 0) >> (2 * run) & 3;
    let d = row * (f32::from(low) + f32::from(high << 4) - 32.0);
    for (i, out) in out.as_chunks_mut::<2>().0.iter_mut().enumerate() {
        let low = block[QUANTS + run / 2 * 16 + i] >> (run % 2 * 4) & 15;
        let high = block[HIGHS + i] >> run & 1;
        let pair = PAIRS[usize::from(low | high << 4)].to_le_bytes();
        *out = pair.map(|level| d * f32::from(level.cast_signed()));
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 2;
            let at = HEAD + run / 8 * BYTES + QUANTS + run / 2 % 4 * 16 + word % 2 * 4;
            let nibbles = |at| u32_at(row, at) >> (run % 2 * 4) & 0x0f0f_0f0f;
            nibbles(at) | nibbles(at + 8) << 4
        }
        1 => {
            let bytes = &row[HEAD + word / 4 * BYTES + HIGHS..][..16];
            let bit = |run: usize| {
                let bits = bytes.iter().enumerate();
                bits.fold(0, |all, (i, byte)| all | u32::from(byte >> run & 1) << i)
            };
            bit(word % 4 * 2) | bit(word % 4 * 2 + 1) << 16
        }
        2 => {
            let block = HEAD + word / 2 * BYTES;
            match word % 2 {
                0 => u32::from(u16_at(row, block)),
                _ => u32_at(row, block + SCALES),
            }
        }
        _ => u32::from(u16_at(row, 0)),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
}
