//! The block formats that weights come in: one file each, one line each in [`FORMATS`].
//!
//! A tensor's rows are cut into blocks of [`BLOCK_LEN`] weights or a multiple. A file's blocks have odd sizes
//! (20, 34 … bytes) that a GPU can't read aligned, so the upload rearranges them into **planes**:
//! each plane holds one part of every block (all quants, then all scales), row after row, every row
//! starting on a whole element of the plane. `shaders/quant/` has the same name for each format.

mod f16;
mod f32;
mod q4_1;
mod q8_0;

use crate::weights::gguf::type_name;
use crate::{Error, Result};

/// Weights that a shader decodes at a time.
pub const BLOCK_LEN: usize = 32;

/// Every format, a line each.
pub static FORMATS: &[&Format] = &[&f32::FORMAT, &f16::FORMAT, &q4_1::FORMAT, &q8_0::FORMAT];

/// One block format: how the file stores it and how planes hold it.
pub struct Format {
    /// Name as in GGUF, lower case; the stem of `shaders/quant/NAME.wgsl`.
    pub name: &'static str,
    /// Number of the type in GGUF.
    pub ggml_type: u32,
    /// Bytes that [`BLOCK_LEN`] weights take in the file.
    pub block_bytes: usize,
    /// The planes, in the order of their bindings.
    pub planes: &'static [Plane],
    /// A block of the file (`block_bytes`) → its weights.
    pub dequantize: fn(&[u8], &mut [f32; BLOCK_LEN]),
    /// A row of the file, plane, word → that 32-bit word of the row's plane. The twin of
    /// `repack_word` in the format's shader.
    pub repack_word: fn(&[u8], usize, usize) -> u32,
    /// Fills a block with weights of a size that models have (about -1 to 1), out of random words:
    /// for tests and for models made on the spot.
    pub sample: fn(&mut dyn FnMut() -> u32, &mut [u8]),
}

/// One plane of a format.
#[derive(Clone, Copy, Debug)]
pub struct Plane {
    /// What it holds: `"quants"`, `"scales"`.
    pub name: &'static str,
    /// Bits of a block in this plane.
    pub bits_per_block: usize,
    /// Bytes of the element that the shader reads; rows start on a whole one: 4 or 16.
    pub element_bytes: usize,
}

impl Plane {
    /// 32-bit words of a row of `blocks` blocks.
    #[must_use]
    pub const fn row_words(&self, blocks: usize) -> usize {
        (blocks * self.bits_per_block).div_ceil(self.element_bytes * 8) * (self.element_bytes / 4)
    }
}

impl Format {
    /// The format of a tensor's type number.
    ///
    /// # Errors
    /// `unsupported_model` naming the tensor and its type.
    pub fn of(tensor: &str, ggml_type: u32) -> Result<&'static Self> {
        FORMATS
            .iter()
            .copied()
            .find(|format| format.ggml_type == ggml_type)
            .ok_or_else(|| {
                let known: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
                Error::unsupported_model(format!(
                    "tensor {tensor} has type {} ({ggml_type}), expected one of {}",
                    type_name(ggml_type).unwrap_or("unknown"),
                    known.join(", ")
                ))
                .detail("tensor", tensor)
            })
    }

    /// Bytes of a row of `cols` weights in the file; `cols` is a multiple of [`BLOCK_LEN`].
    #[must_use]
    pub const fn row_bytes(&self, cols: usize) -> usize {
        cols / BLOCK_LEN * self.block_bytes
    }

    /// Bytes of a row of `cols` weights in all planes.
    #[must_use]
    pub fn planes_row_bytes(&self, cols: usize) -> usize {
        self.planes
            .iter()
            .map(|plane| plane.row_words(cols / BLOCK_LEN) * 4)
            .sum()
    }

    /// The weights of whole blocks, as f32. `bytes` is a multiple of `block_bytes`.
    #[must_use]
    pub fn dequantize_all(&self, bytes: &[u8]) -> Vec<f32> {
        let mut out = Vec::with_capacity(bytes.len() / self.block_bytes * BLOCK_LEN);
        let mut block = [0.0; BLOCK_LEN];
        for raw in bytes.chunks_exact(self.block_bytes) {
            (self.dequantize)(raw, &mut block);
            out.extend_from_slice(&block);
        }
        out
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.ggml_type == other.ggml_type
    }
}

impl std::fmt::Debug for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A word of four bytes, little endian.
fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn f16_at(bytes: &[u8], at: usize) -> f32 {
    half::f16::from_bits(u16_at(bytes, at)).to_f32()
}

/// Random bytes.
fn sample_bytes(random: &mut dyn FnMut() -> u32, out: &mut [u8]) {
    for chunk in out.chunks_mut(4) {
        chunk.copy_from_slice(&random().to_le_bytes()[..chunk.len()]);
    }
}

/// A random number from -1 to 1.
fn sample_unit(random: &mut dyn FnMut() -> u32) -> f32 {
    f32::from(u16::try_from(random() >> 16).unwrap_or(0)) / 32_768.0 - 1.0
}

fn put_f16(block: &mut [u8], at: usize, value: f32) {
    block[at..at + 2].copy_from_slice(&half::f16::from_f32(value).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_distinct() {
        for (i, a) in FORMATS.iter().enumerate() {
            for b in &FORMATS[i + 1..] {
                assert!(
                    a.name != b.name && a.ggml_type != b.ggml_type,
                    "{a:?} and {b:?} collide"
                );
            }
        }
    }

    #[test]
    fn planes_hold_every_bit_of_a_block() {
        for format in FORMATS {
            let bits: usize = format.planes.iter().map(|plane| plane.bits_per_block).sum();
            assert!(
                bits >= format.block_bytes * 8,
                "{format:?} loses bits in its planes"
            );
        }
    }

    #[test]
    fn sampled_weights_have_the_size_that_models_have() {
        let mut state = 1u32;
        let mut random = || {
            state = state.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            state ^ state >> 15
        };
        for format in FORMATS {
            let mut bytes = vec![0; format.block_bytes * 100];
            bytes
                .chunks_exact_mut(format.block_bytes)
                .for_each(|block| (format.sample)(&mut random, block));
            let weights = format.dequantize_all(&bytes);
            let square = weights.iter().map(|w| w * w).sum::<f32>() / weights.len() as f32;
            assert!(
                (0.01..1.0).contains(&square),
                "{format:?}: mean square {square}"
            );
            assert!(
                weights.iter().all(|w| w.abs() <= 2.0),
                "{format:?}: a weight is huge"
            );
        }
    }

    #[test]
    fn repacked_planes_hold_the_bytes_of_the_file() {
        for format in FORMATS {
            // Three blocks: an odd number, so that a row of Q8_0's scales ends with half a word.
            let row: Vec<u8> = (0..=255).cycle().take(format.block_bytes * 3).collect();
            let mut repacked: Vec<u8> = Vec::new();
            for (ix, plane) in format.planes.iter().enumerate() {
                let words = (3 * plane.bits_per_block).div_ceil(32);
                let bytes: Vec<u8> = (0..words)
                    .flat_map(|word| (format.repack_word)(&row, ix, word).to_le_bytes())
                    .collect();
                repacked.extend(&bytes[..3 * plane.bits_per_block / 8]);
            }
            let (mut got, mut want) = (repacked, row);
            got.sort_unstable();
            want.sort_unstable();
            assert_eq!(
                got, want,
                "{format:?}: every byte of the row is in some plane once"
            );
        }
    }
}
