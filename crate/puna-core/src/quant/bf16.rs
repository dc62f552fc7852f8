//! BF16: 32 floats of 16 bits a block of 64 bytes, each the upper half of an f32.

use super::{BLOCK_LEN, Format, PLAIN, Plane, sample_unit, u16_at, u32_at};

pub(super) static FORMAT: Format = Format {
    name: "bf16",
    ggml_type: 30,
    block_len: BLOCK_LEN,
    block_bytes: BLOCK_LEN * 2,
    value_bytes: 2,
    planes: &[Plane {
        name: "weights",
        bits_per_block: BLOCK_LEN * 16,
        element_bytes: 16,
    }],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], _run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = f32::from_bits(u32::from(u16_at(block, i * 2)) << 16);
    }
}

fn repack_word(row: &[u8], _plane: usize, word: usize) -> u32 {
    u32_at(row, word * 4)
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    for i in 0..BLOCK_LEN {
        let [_, _, low, high] = sample_unit(random).to_le_bytes();
        out[i * 2..i * 2 + 2].copy_from_slice(&[low, high]);
    }
}
