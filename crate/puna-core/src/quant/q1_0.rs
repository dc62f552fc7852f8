//! `Q1_0`: 128 weights in 18 bytes, each d or −d (llama.cpp, `block_q1_0`).
//!
//! ```text
//! file   | d f16 | 16 bytes: bit i is set where weight i is d |
//! planes | quants: a word a run, see `spread` | scales: d of two neighbouring blocks in a word |
//! ```

use super::{
    BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_bytes, sample_unit, spread, u16_pair,
    u32_at,
};

const BYTES: usize = 18;

pub(super) static FORMAT: Format = Format {
    name: "q1_0",
    ggml_type: 41,
    block_len: 128,
    block_bytes: BYTES,
    integers: true,
    planes: &[
        Plane {
            name: "quants",
            bits_per_block: 128,
            element_bytes: 4,
        },
        Plane {
            name: "scales",
            bits_per_block: 16,
            element_bytes: 4,
        },
    ],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], run: usize, out: &mut [f32; BLOCK_LEN]) {
    let d = f16_at(block, 0);
    let bits = u32_at(block, 2 + 4 * run);
    for (i, out) in out.iter_mut().enumerate() {
        *out = if bits >> i & 1 == 1 { d } else { -d };
    }
}

fn repack_word(row: &[u8], plane: usize, word: usize) -> u32 {
    match plane {
        0 => spread(u32_at(row, word / 4 * BYTES + 2 + word % 4 * 4)),
        _ => u16_pair(row, word * 2 * BYTES, BYTES),
    }
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    sample_bytes(random, out);
    put_f16(out, 0, sample_unit(random));
}
