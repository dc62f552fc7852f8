//! `MXFP4`: 32 weights in 17 bytes, `w = 2^(e − 127)·value[q]` with q of 4 bits, a float `E2M1` (OCP Microscaling Formats
//! 1.0; llama.cpp, `block_mxfp4`).
//!
//! ```text
//! file   | e, a byte | 16 bytes: byte i = q[i] | q[i + 16] << 4 |
//! planes | quants: 16 bytes a block | scales: e of four neighbouring blocks in a word |
//! ```

use super::levels::{E2M1, nibble};
use super::{BLOCK_LEN, Format, PLAIN, Plane, sample_bytes, u32_at};

const BYTES: usize = 17;

pub(super) static FORMAT: Format = Format {
    name: "mxfp4",
    ggml_type: 39,
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
            bits_per_block: 8,
            element_bytes: 4,
        },
    ],
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

/// `2^(e − 128)`: half the scale, for levels that are twice the values.
fn scale(e: u8) -> f32 {
    f32::from_bits(match e {
        0 | 1 => 0x0020_0000 << e,
        _ => u32::from(e - 1) << 23,
    })
}

fn dequantize(_row: f32, block: &[u8], _run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = scale(block[0]);
    for (i, &byte) in block[1..BYTES].iter().enumerate() {
        out[i] = d * nibble(&E2M1, byte);
        out[i + 16] = d * nibble(&E2M1, byte >> 4);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 4 * BYTES + 1 + word % 4 * 4),
        _ => {
            let e = |n: usize| row.get((word * 4 + n) * BYTES).copied().unwrap_or(0);
            u32::from_le_bytes([0, 1, 2, 3].map(e))
        }
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    // From 2^-5 to 2^-2.
    out[0] = 122 + out[0] % 4;
}
