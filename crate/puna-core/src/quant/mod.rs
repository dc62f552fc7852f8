//! The block formats that weights come in: one file each, one line each in [`FORMATS`].
//!
//! A tensor's rows are cut into **blocks** of [`Format::block_len`] weights: one **run** of [`BLOCK_LEN`], which is
//! what a shader decodes at a time, or several. A file's blocks have odd sizes (20, 34, 210 … bytes) that a GPU
//! can't read aligned, so the upload rearranges them into **planes**: each plane holds one part of every
//! block (all quants, then all scales), row after row, every row starting on a whole element of the plane.
//! `shaders/quant/` has the same name for each format; to it, every run is a block.

mod f16;
mod f32;
mod q2_k;
mod q3_k;
mod q4_0;
mod q4_1;
mod q4_k;
mod q5_0;
mod q5_1;
mod q5_k;
mod q6_k;
mod q8_0;

use crate::weights::gguf::type_name;
use crate::{Error, Result};

/// Weights of a run: what a shader decodes at a time.
pub const BLOCK_LEN: usize = 32;

/// Every format, a line each.
pub static FORMATS: &[&Format] = &[
    &f32::FORMAT,
    &f16::FORMAT,
    &q4_0::FORMAT,
    &q4_1::FORMAT,
    &q5_0::FORMAT,
    &q5_1::FORMAT,
    &q8_0::FORMAT,
    &q2_k::FORMAT,
    &q3_k::FORMAT,
    &q4_k::FORMAT,
    &q5_k::FORMAT,
    &q6_k::FORMAT,
];

/// One block format: how the file stores it and how planes hold it.
pub struct Format {
    /// Name as in GGUF, lower case; the stem of `shaders/quant/NAME.wgsl`.
    pub name: &'static str,
    /// Number of the type in GGUF.
    pub ggml_type: u32,
    /// Weights of a block of the file: [`BLOCK_LEN`] or a multiple of it.
    pub block_len: usize,
    /// Bytes of a block of the file.
    pub block_bytes: usize,
    /// Whether a weight is a whole number that a signed byte holds, times a scale, less something: shaders define
    /// `decode_ints` for such and `decode_block` for the others.
    pub integers: bool,
    /// The planes, in the order of their bindings.
    pub planes: &'static [Plane],
    /// A block of the file (`block_bytes`), which of its runs → the run's weights.
    pub dequantize: fn(&[u8], usize, &mut [f32; BLOCK_LEN]),
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
    /// Bits of a block of the file in this plane.
    pub bits_per_block: usize,
    /// Bytes of the element that the shader reads; rows start on a whole one: 4, 8 or 16.
    pub element_bytes: usize,
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

    /// Bytes of a row of `cols` weights in the file; `cols` is a multiple of `block_len`.
    #[must_use]
    pub const fn row_bytes(&self, cols: usize) -> usize {
        cols / self.block_len * self.block_bytes
    }

    /// 32-bit words of a row of `cols` weights in a plane: whole elements.
    #[must_use]
    pub const fn row_words(&self, plane: &Plane, cols: usize) -> usize {
        (cols / self.block_len * plane.bits_per_block).div_ceil(plane.element_bytes * 8)
            * (plane.element_bytes / 4)
    }

    /// Of [`Self::row_words`], how many hold something.
    #[must_use]
    pub const fn used_words(&self, plane: &Plane, cols: usize) -> usize {
        (cols / self.block_len * plane.bits_per_block).div_ceil(32)
    }

    /// Bytes of a row of `cols` weights in all planes.
    #[must_use]
    pub fn planes_row_bytes(&self, cols: usize) -> usize {
        let planes = self.planes.iter();
        planes.map(|plane| self.row_words(plane, cols) * 4).sum()
    }

    /// The weights of whole blocks, run by run. `bytes` is a multiple of `block_bytes`.
    pub fn runs<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = [f32; BLOCK_LEN]> + 'a {
        let runs = self.block_len / BLOCK_LEN;
        let blocks = bytes.chunks_exact(self.block_bytes);
        blocks.flat_map(move |block| {
            (0..runs).map(move |run| {
                let mut weights = [0.0; BLOCK_LEN];
                (self.dequantize)(block, run, &mut weights);
                weights
            })
        })
    }

    /// The weights of whole blocks. `bytes` is a multiple of `block_bytes`.
    #[must_use]
    pub fn dequantize_all(&self, bytes: &[u8]) -> Vec<f32> {
        self.runs(bytes).flatten().collect()
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

/// Of two neighbouring blocks of a row, `stride` bytes apart, the two bytes that stand at `at` in the first. A row
/// with an odd number of blocks ends with half a word.
fn u16_pair(row: &[u8], at: usize, stride: usize) -> u32 {
    let second = at + stride;
    let high = if second < row.len() {
        u16_at(row, second)
    } else {
        0
    };
    u32::from(u16_at(row, at)) | u32::from(high) << 16
}

/// A word whose bit 8·b + k is bit 4·k + b of `bits`: shifted right by k, the lowest bits of its bytes are those of
/// weights 4·k .. 4·k + 4. Twin of `raw_spread` in `shaders/lib/raw.wgsl`.
fn spread(bits: u32) -> u32 {
    let four = |k: u32| (bits >> (4 * k) & 15).wrapping_mul(0x0020_4081) & 0x0101_0101;
    (0..8).fold(0, |word, k| word | four(k) << k)
}

/// Word `word` of the `bits` words that hold a run's quants of so many bits. In the file they are bits `shift` .. of
/// the 32 bytes at `at`; byte b of the word holds those of weights 4·(word + bits·n) + b, at bits bits·n ... Twin of
/// `raw_gather` in `shaders/lib/raw.wgsl`.
fn gather(row: &[u8], at: usize, bits: usize, shift: usize, word: usize) -> u32 {
    let low = 0x0101_0101 * ((1 << bits) - 1);
    (0..8 / bits).fold(0, |gathered, n| {
        let four = u32_at(row, at + 4 * (word + bits * n)) >> shift & low;
        gathered | four << (bits * n)
    })
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
    use std::collections::HashSet;

    use super::*;
    use crate::weights::ggml_type::ggml_type;

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
    fn blocks_are_those_of_the_file() {
        for format in FORMATS {
            let layout = ggml_type(format.ggml_type).expect("a known type");
            assert_eq!(format.name, layout.name.to_lowercase(), "{format:?}");
            assert!(
                format.block_len.is_multiple_of(BLOCK_LEN),
                "{format:?}: whole runs"
            );
            let bytes = layout.row_bytes(format.block_len as u64);
            assert_eq!(bytes, Some(format.block_bytes as u64), "{format:?}");
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

    /// Each bit of a row alone, in each plane, says where it went: nowhere twice, and none is lost.
    #[test]
    fn planes_hold_every_bit_of_a_row_once() {
        for format in FORMATS {
            // Three blocks: an odd number, so that a row of 16-bit scales ends with half a word.
            let cols = 3 * format.block_len;
            let mut row = vec![0_u8; format.row_bytes(cols)];
            let mut taken = HashSet::new();
            for bit in 0..row.len() * 8 {
                row[bit / 8] = 1 << (bit % 8);
                let mut places = Vec::new();
                for (ix, plane) in format.planes.iter().enumerate() {
                    for word in 0..format.used_words(plane, cols) {
                        let got = (format.repack_word)(&row, ix, word);
                        places.extend(
                            (0..32)
                                .filter(|at| got >> at & 1 == 1)
                                .map(|at| (ix, word, at)),
                        );
                    }
                }
                row[bit / 8] = 0;
                assert_eq!(places.len(), 1, "{format:?}: bit {bit} went to {places:?}");
                assert!(
                    taken.insert(places[0]),
                    "{format:?}: bit {bit} is not alone at {places:?}"
                );
            }
        }
    }
}
