//! Q4_1: 32 weights in 20 bytes, `w = d·q + m` with q of 4 bits (llama.cpp, `block_q4_1`).
//!
//! ```text
//! file   | d f16 | m f16 | 16 bytes: byte i = q[i] | q[i + 16] << 4 |
//! planes | quants: 16 bytes a block | scales: d, m as two f16 in a word |
//! ```

use super::{BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u32_at};

const BYTES: usize = 20;

pub(super) static FORMAT: Format = Format {
    name: "q4_1",
    ggml_type: 3,
    block_len: BLOCK_LEN,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 128,
            element_bytes: 16,
        },
        Plane {
            name: "scales",
            bits_per_block: 32,
            element_bytes: 4,
        },
    ],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], _run: usize, out: &mut [f32; BLOCK_LEN]) {
    let (d, m) = (f16_at(block, 0), f16_at(block, 2));
    for (i, &byte) in block[4..BYTES].iter().enumerate() {
        out[i] = d * f32::from(byte & 15) + m;
        out[i + 16] = d * f32::from(byte >> 4) + m;
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 4 * BYTES + 4 + word % 4 * 4),
        _ => u32_at(row, word * BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    let d = sample_unit(random) / 8.0;
    put_f16(out, 0, d);
    put_f16(out, 2, -7.5 * d + sample_unit(random) / 8.0);
}
