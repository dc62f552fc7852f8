//! What the files of formats share: little-endian numbers, and parts of blocks that several have.

use half::f16;
use puna_core::quant::BLOCK_LEN;

pub(super) fn f16_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

pub(super) fn u32_at(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

/// 16 bytes, each of which holds q[i] and, above it, q[i + 16].
pub(super) fn nibbles(bytes: &[u8]) -> [u8; BLOCK_LEN] {
    std::array::from_fn(|i| bytes[i % 16] >> (i / 16 * 4) & 15)
}

/// What the 4 bits of `IQ4_NL` and `IQ4_XS` stand for (llama.cpp, `ggml-common.h`).
pub(super) const LEVELS: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/// What 16 bytes of nibbles stand for: the bits of signed bytes.
pub(super) fn levels(bytes: &[u8], levels: &[i8; 16]) -> [u8; BLOCK_LEN] {
    nibbles(bytes).map(|q| levels[usize::from(q)].cast_unsigned())
}

/// A fifth bit, bit i of `highs` for q[i].
pub(super) fn with_highs(q: [u8; BLOCK_LEN], highs: u32) -> [u8; BLOCK_LEN] {
    std::array::from_fn(|i| q[i] | u8::from(highs >> i & 1 == 1) << 4)
}

/// Scale and min of a run of Q4_K and Q5_K, 6 bits each, out of their 12 bytes: of the first four runs the scales and
/// then the mins in the low bits of a byte each; of the last four the low bits of both in one byte, and the high bits
/// on top of the first four's.
pub(super) fn scale_and_min(packed: &[u8], run: usize) -> (f32, f32) {
    let (scale, min) = if run < 4 {
        (packed[run] & 63, packed[run + 4] & 63)
    } else {
        (
            packed[run + 4] & 15 | packed[run - 4] >> 6 << 4,
            packed[run + 4] >> 4 | packed[run] >> 6 << 4,
        )
    };
    (f32::from(scale), f32::from(min))
}
