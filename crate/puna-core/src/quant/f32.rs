//! F32: 32 floats a block of 128 bytes.

use super::{BLOCK_LEN, Format, PLAIN, Plane, sample_unit, u32_at};

pub(super) static FORMAT: Format = Format {
    name: "f32",
    ggml_type: 0,
    block_len: BLOCK_LEN,
    block_bytes: BLOCK_LEN * 4,
    integers: false,
    value_bytes: 4,
    planes: &[Plane {
        name: "weights",
        bits_per_block: BLOCK_LEN * 32,
        element_bytes: 16,
    }],
    dequantize,
    repack_word,
    sample,
    ..PLAIN
};

fn dequantize(_row: f32, block: &[u8], _run: usize, out: &mut [f32; BLOCK_LEN]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = f32::from_bits(u32_at(block, i * 4));
    }
}

fn repack_word(row: &[u8], _plane: usize, word: usize) -> u32 {
    u32_at(row, word * 4)
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    for word in out.chunks_exact_mut(4) {
        word.copy_from_slice(&sample_unit(random).to_le_bytes());
    }
}
