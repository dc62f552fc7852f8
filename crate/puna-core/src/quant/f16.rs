//! F16: 32 half floats a block of 64 bytes.

use super::{BLOCK_LEN, Format, PLAIN, Plane, f16_at, put_f16, sample_unit, u32_at};

pub(super) static FORMAT: Format = Format {
    name: "f16",
    ggml_type: 1,
    block_len: BLOCK_LEN,
    block_bytes: BLOCK_LEN * 2,
    integers: false,
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
        *out = f16_at(block, i * 2);
    }
}

fn repack_word(row: &[u8], _plane: usize, word: usize) -> u32 {
    u32_at(row, word * 4)
}

fn sample(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    for i in 0..BLOCK_LEN {
        put_f16(out, i * 2, sample_unit(random));
    }
}
