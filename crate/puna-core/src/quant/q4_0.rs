//! Q4_0: 32 weights in 18 bytes, `w = d·(q − 8)` with q of 4 bits (llama.cpp, `block_q4_0`).
//!
//! ```text
//! file   | d f16 | 16 bytes: byte i = q[i] | q[i + 16] << 4 |
//! planes | quants: 16 bytes a block | scales: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 18;

pub(super) static FORMAT: Format = Format {
    name: "q4_0",
    ggml_type: 2,
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
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    dequantize,
    repack_word,
    quantize: Some(quantize),
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], _run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = f16_at(block, 0);
    for (i, &byte) in block[2..BYTES].iter().enumerate() {
        out[i] = d * (f32::from(byte & 15) - 8.0);
        out[i + 16] = d * (f32::from(byte >> 4) - 8.0);
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 4 * BYTES + 2 + word % 4 * 4),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

/// The weight that is farthest from 0 is -8 steps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "quotients are between -8 and 8"
)]
fn quantize(weights: &[f32; BLOCK_LEN], out: &mut [u8]) {
    let farthest = |far: f32, w: &f32| if w.abs() > far.abs() { *w } else { far };
    let d = weights.iter().fold(0.0, farthest) / -8.0;
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    put_f16(out, 0, d);
    let q = |w: f32| ((w * inverse + 8.5) as u8).min(15);
    for (i, byte) in out[2..BYTES].iter_mut().enumerate() {
        *byte = q(weights[i]) | q(weights[i + 16]) << 4;
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 8.0);
}
