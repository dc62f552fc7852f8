//! F32: 32 floats a block of 128 bytes.

use super::{BLOCK_LEN, Format, Plane, u32_at};

pub(super) static FORMAT: Format = Format {
    name: "f32",
    ggml_type: 0,
    block_bytes: BLOCK_LEN * 4,
    planes: &[Plane {
        name: "weights",
        bits_per_block: BLOCK_LEN * 32,
        element_bytes: 16,
    }],
    dequantize,
    repack_word,
};

fn dequantize(block: &[u8], out: &mut [f32; BLOCK_LEN]) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = f32::from_bits(u32_at(block, i * 4));
    }
}

fn repack_word(row: &[u8], _plane: usize, word: usize) -> u32 {
    u32_at(row, word * 4)
}
