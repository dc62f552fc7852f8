//! Q8_0: 32 weights in 34 bytes, `w = d·q` with q a signed byte (llama.cpp, `block_q8_0`).
//!
//! ```text
//! file   | d f16 | 32 bytes: q[i] as i8 |
//! planes | quants: 32 bytes a block | scales: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, u16_pair, u32_at,
};

const BYTES: usize = 34;

pub(super) static FORMAT: Format = Format {
    name: "q8_0",
    ggml_type: 8,
    block_len: BLOCK_LEN,
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
    for (out, &byte) in out.iter_mut().zip(&block[2..BYTES]) {
        *out = d * f32::from(byte.cast_signed());
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => u32_at(row, word / 8 * BYTES + 2 + word % 8 * 4),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "quotients are between -127 and 127"
)]
fn quantize(weights: &[f32; BLOCK_LEN], out: &mut [u8]) {
    let largest = weights
        .iter()
        .fold(0.0_f32, |largest, w| largest.max(w.abs()));
    let d = largest / 127.0;
    let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
    put_f16(out, 0, d);
    for (byte, w) in out[2..BYTES].iter_mut().zip(weights) {
        *byte = ((w * inverse).round() as i8).cast_unsigned();
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random) / 128.0);
}
