//! `Q4_K`: 256 weights in 144 bytes, `w = d·scale·q − dmin·min` with q of 4 bits, a scale and a min of 6 bits for
//! each run of 32 (llama.cpp, `block_q4_K`).
//!
//! ```text
//! file   | d f16 | dmin f16 | 12 bytes: scales and mins, see `scale_and_min` |
//!        | 128 bytes: byte 32·p + i = q[i] of run 2·p | q[i] of run 2·p + 1 << 4 |
//! planes | quants: 16 bytes a run, see `gather` | scales: d, dmin and the 12 bytes |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, gather, put_f16, sample_bytes, sample_unit, u32_at,
};

const BYTES: usize = 144;
const QUANTS: usize = 16;

pub(super) static FORMAT: Format = Format {
    name: "q4_k",
    ggml_type: 12,
    block_len: 256,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 1024,
            element_bytes: 16,
        },
        Plane {
            name: "scales",
            bits_per_block: 128,
            element_bytes: 16,
        },
    ],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

/// Scale and min of a run of 32, 6 bits each, out of the 12 bytes of `Q4_K` and `Q5_K`. Of the first four runs:
/// the low 6 bits of bytes `run` and `run + 4`. Of the others: a nibble each of byte `run + 4`, and the top 2
/// bits of bytes `run - 4` and `run`.
pub(super) fn scale_and_min(bytes: &[u8], run: usize) -> (f32, f32) {
    let (scale, min) = if run < 4 {
        (bytes[run] & 63, bytes[run + 4] & 63)
    } else {
        let low = bytes[run + 4];
        (
            low & 15 | bytes[run - 4] >> 6 << 4,
            low >> 4 | bytes[run] >> 6 << 4,
        )
    };
    (f32::from(scale), f32::from(min))
}

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let (d, dmin) = (f16_at(block, 0), f16_at(block, 2));
    let (scale, min) = scale_and_min(&block[4..QUANTS], run);
    for (i, out) in out.iter_mut().enumerate() {
        let q = block[QUANTS + run / 2 * 32 + i] >> (run % 2 * 4) & 15;
        *out = d * scale * f32::from(q) - dmin * min;
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => {
            let run = word / 4;
            let pair = run / 8 * BYTES + QUANTS + run / 2 % 4 * 32;
            gather(row, pair, 4, run % 2 * 4, word % 4)
        }
        _ => u32_at(row, word / 4 * BYTES + word % 4 * 4),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    let d = sample_unit(random) / 640.0;
    put_f16(out, 0, d);
    put_f16(out, 2, 7.5 * d + sample_unit(random) / 1024.0);
}
