//! `NVFP4`: 64 weights in 36 bytes, `w = d·value[q]` with q of 4 bits, a float `E2M1`, and d for each 16 weights a float
//! `E4M3` without a sign (llama.cpp, `block_nvfp4`).
//!
//! ```text
//! file   | 4 bytes: d of each 16 | 8 bytes for each 16: byte i = q[i] | q[i + 8] << 4 |
//! planes | quants: 16 bytes a run | scales: 4 bytes a block |
//! ```

use super::levels::{E2M1, nibble};
use super::{BLOCK_LEN, Format, PLAIN, Plane, sample_bytes, u32_at};

const BYTES: usize = 36;

pub(super) static FORMAT: Format = Format {
    name: "nvfp4",
    ggml_type: 40,
    block_len: 64,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 256,
            element_bytes: 16,
        },
        Plane {
            name: "scales",
            bits_per_block: 32,
            element_bytes: 4,
        },
    ],
    modules: &["lib/levels"],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

/// Half of what the float is, for levels that are twice the values; 0 for its one NaN.
fn scale(bits: u8) -> f32 {
    let (exponent, mantissa) = (u32::from(bits >> 3 & 15), u32::from(bits & 7));
    match (bits, exponent) {
        (0x7f, _) => 0.0,
        (_, 0) => mantissa as f32 / 1024.0,
        _ => f32::from_bits((exponent + 119) << 23 | mantissa << 20),
    }
}

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (half, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let which = run * 2 + half;
        let d = scale(block[which]);
        for (i, &byte) in block[4 + 8 * which..][..8].iter().enumerate() {
            out[i] = d * nibble(&E2M1, byte);
            out[i + 8] = d * nibble(&E2M1, byte >> 4);
        }
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 8 * BYTES + 4 + word % 8 * 4),
        _ => u32_at(row, word * BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    // From 2^-5 to 2^-3, and a mantissa.
    out[..4]
        .iter_mut()
        .for_each(|d| *d = (2 + (*d >> 6) % 3) << 3 | *d & 7);
}
