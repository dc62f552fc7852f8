//! The block formats that weights come in: one file each, one line each in [`FORMATS`].
//!
//! A tensor's rows are cut into **blocks** of [`Format::block_len`] weights: one **run** of [`BLOCK_LEN`], which is
//! what a shader decodes at a time, or several. A file's blocks have odd sizes (20, 34, 210 … bytes) that a GPU
//! can't read aligned, so the upload rearranges them into **planes**: each plane holds one part of every
//! block (all quants, then all scales), row after row, every row starting on a whole element of the plane.
//! `shaders/quant/` has the same name for each format; to it, every run is a block.

mod bf16;
mod bits;
mod f16;
mod f32;
mod grid;
mod interleaved;
mod iq1_kt;
mod iq1_m;
mod iq1_s;
mod iq2_k;
mod iq2_kl;
mod iq2_ks;
mod iq2_kt;
mod iq2_s;
mod iq2_xs;
mod iq2_xxs;
mod iq3_k;
mod iq3_ks;
mod iq3_kt;
mod iq3_s;
mod iq3_xxs;
mod iq4_k;
mod iq4_ks;
mod iq4_kss;
mod iq4_kt;
mod iq4_nl;
mod iq4_xs;
mod iq5_k;
mod iq5_ks;
mod iq6_k;
mod levels;
mod mxfp4;
mod nvfp4;
mod q1_0;
mod q2_k;
mod q3_k;
mod q4_0;
mod q4_1;
mod q4_k;
mod q5_0;
mod q5_1;
mod q5_k;
mod q6_0;
mod q6_k;
mod q8_0;
mod tq1_0;
mod tq2_0;
mod trellis;

pub use self::interleaved::{INTERLEAVED, Interleaving, NONE};

use self::bits::{
    f16_at, gather, put_f16, sample_bytes, sample_unit, spread, u16_at, u16_pair, u32_at,
};
use crate::weights::header::type_name;
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
    &bf16::FORMAT,
    &iq4_nl::FORMAT,
    &iq4_xs::FORMAT,
    &mxfp4::FORMAT,
    &nvfp4::FORMAT,
    &tq1_0::FORMAT,
    &tq2_0::FORMAT,
    &q1_0::FORMAT,
    &iq2_xxs::FORMAT,
    &iq2_xs::FORMAT,
    &iq2_s::FORMAT,
    &iq3_xxs::FORMAT,
    &iq3_s::FORMAT,
    &iq1_s::FORMAT,
    &iq1_m::FORMAT,
    &q6_0::FORMAT,
    &iq2_k::FORMAT,
    &iq3_k::FORMAT,
    &iq4_k::FORMAT,
    &iq5_k::FORMAT,
    &iq6_k::FORMAT,
    &iq2_ks::FORMAT,
    &iq3_ks::FORMAT,
    &iq4_ks::FORMAT,
    &iq4_kss::FORMAT,
    &iq5_ks::FORMAT,
    &iq2_kl::FORMAT,
    &iq1_kt::FORMAT,
    &iq2_kt::FORMAT,
    &iq3_kt::FORMAT,
    &iq4_kt::FORMAT,
];

/// One block format: how the file stores it and how planes hold it.
#[derive(Clone, Copy)]
pub struct Format {
    /// Name as in GGUF, lower case; the stem of `shaders/quant/NAME.wgsl`.
    pub name: &'static str,
    /// Number of the type in GGUF.
    pub ggml_type: u32,
    /// Weights of a block of the file: [`BLOCK_LEN`] or a multiple of it.
    pub block_len: usize,
    /// Bytes of a block of the file.
    pub block_bytes: usize,
    /// Bytes of a weight that stands alone, so that rows need not be whole blocks; 0 where none does.
    pub value_bytes: usize,
    /// Whether a weight is a whole number that a signed byte holds, times a scale, less something: shaders define
    /// `decode_ints` for such and `decode_block` for the others.
    pub integers: bool,
    /// The planes, in the order of their bindings.
    pub planes: &'static [Plane],
    /// How rows are stored together, if they are; all else is of a row alone.
    pub interleaving: Option<Interleaving>,
    /// The scale that stands in front of each row, if one does.
    pub row_scale: Option<RowScale>,
    /// Numbers that the shader looks up, two in a word; whole elements of four words.
    pub table: fn() -> &'static [u16],
    /// What of `shaders/lib` its shader is linked with, besides what all are.
    pub modules: &'static [&'static str],
    /// The row's scale (1 where there is none), a block of the file (`block_bytes`), which of its runs → the run's
    /// weights.
    pub dequantize: fn(f32, &[u8], usize, &mut [f32; BLOCK_LEN]),
    /// A row of the file, plane, word → that 32-bit word of the row's plane. The twin of
    /// `repack_word` in the format's shader.
    pub repack_word: fn(&[u8], usize, usize) -> u32,
    /// 32 weights → a block of the file, as llama.cpp rounds them; of the formats that weights are brought to at load.
    pub quantize: Option<Quantize>,
    /// Fills a block with weights of a size that models have (about -1 to 1), out of random words:
    /// for tests and for models made on the spot.
    pub sample: fn(&mut dyn FnMut() -> u32, &mut [u8]),
}

/// Rounds 32 weights to a block.
pub type Quantize = fn(&[f32; BLOCK_LEN], &mut [u8]);

/// A number in front of each row that all its weights are multiplied with.
#[derive(Clone, Copy, Debug)]
pub struct RowScale {
    /// 2, an f16, or 4, an f32.
    pub bytes: usize,
    /// The largest for weights of a size that models have.
    pub sample: f32,
}

impl RowScale {
    /// The scale of a row of the file.
    fn of(self, row: &[u8]) -> f32 {
        match self.bytes {
            2 => f16_at(row, 0),
            _ => f32::from_bits(u32_at(row, 0)),
        }
    }

    fn put(self, row: &mut [u8], scale: f32) {
        match self.bytes {
            2 => put_f16(row, 0, scale),
            _ => row[..4].copy_from_slice(&scale.to_le_bytes()),
        }
    }
}

/// What most formats have not.
const PLAIN: Format = Format {
    name: "",
    ggml_type: 0,
    block_len: 0,
    block_bytes: 0,
    value_bytes: 0,
    integers: false,
    planes: &[],
    interleaving: None,
    row_scale: None,
    table: || &[],
    modules: &[],
    dequantize: |_, _, _, _| {},
    repack_word: |_, _, _| 0,
    quantize: None,
    sample: |_, _| {},
};

/// The plane that holds the scales of rows, a word each.
const ROW_SCALES: Plane = Plane {
    name: "row scales",
    bits_per_block: 0,
    element_bytes: 4,
};

/// One plane of a format.
#[derive(Clone, Copy, Debug)]
pub struct Plane {
    /// What it holds: `"quants"`, `"scales"`.
    pub name: &'static str,
    /// Bits of a block of the file in this plane; 0 where it holds the scale of the row.
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
        let all = || FORMATS.iter().chain(INTERLEAVED).copied();
        all()
            .find(|format| format.ggml_type == ggml_type)
            .ok_or_else(|| {
                let known: Vec<_> = all().map(|format| format.name).collect();
                Error::unsupported_model(format!(
                    "tensor {tensor} has type {} ({ggml_type}), expected one of {}",
                    type_name(ggml_type).unwrap_or("unknown"),
                    known.join(", ")
                ))
                .detail("tensor", tensor)
            })
    }

    /// Floats of 32 bits, as they are.
    #[must_use]
    pub fn f32() -> &'static Self {
        &f32::FORMAT
    }

    /// Floats of 16 bits.
    #[must_use]
    pub fn f16() -> &'static Self {
        &f16::FORMAT
    }

    /// Whole numbers of 8 bits.
    #[must_use]
    pub fn q8_0() -> &'static Self {
        &q8_0::FORMAT
    }

    /// The format of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().copied().find(|format| format.name == name)
    }

    /// Weights that stand alone, one after the other; an end that is none is left out.
    pub fn values<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = f32> + 'a {
        let convert: fn(&[u8]) -> f32 = match self.name {
            "f16" => |bytes| f16_at(bytes, 0),
            "bf16" => |bytes| f32::from_bits(u32::from(u16_at(bytes, 0)) << 16),
            _ => |bytes| f32::from_bits(u32_at(bytes, 0)),
        };
        bytes.chunks_exact(self.value_bytes.max(1)).map(convert)
    }

    /// Bytes in front of a row of the file.
    #[must_use]
    pub const fn head_bytes(&self) -> usize {
        match self.row_scale {
            Some(scale) => scale.bytes,
            None => 0,
        }
    }

    /// Whether rows may have so many weights: whole blocks; or, of weights that stand alone, whole vectors of four.
    #[must_use]
    pub const fn has_rows_of(&self, cols: usize) -> bool {
        cols.is_multiple_of(self.block_len) || self.value_bytes > 0 && cols.is_multiple_of(4)
    }

    /// Bytes of a row of `cols` weights in the file.
    #[must_use]
    pub const fn row_bytes(&self, cols: usize) -> usize {
        if self.value_bytes > 0 {
            return cols * self.value_bytes;
        }
        self.head_bytes() + cols / self.block_len * self.block_bytes
    }

    /// 32-bit words of a row of `cols` weights in a plane: whole elements.
    #[must_use]
    pub const fn row_words(&self, plane: &Plane, cols: usize) -> usize {
        self.row_bits(plane, cols).div_ceil(plane.element_bytes * 8) * (plane.element_bytes / 4)
    }

    /// Of [`Self::row_words`], how many hold something.
    #[must_use]
    pub const fn used_words(&self, plane: &Plane, cols: usize) -> usize {
        if self.value_bytes > 0 {
            return (cols * self.value_bytes).div_ceil(4);
        }
        self.row_bits(plane, cols).div_ceil(32)
    }

    const fn row_bits(&self, plane: &Plane, cols: usize) -> usize {
        match plane.bits_per_block {
            0 => self.head_bytes() * 8,
            bits => cols.div_ceil(self.block_len) * bits,
        }
    }

    /// Bytes of a row of `cols` weights in all planes.
    #[must_use]
    pub fn planes_row_bytes(&self, cols: usize) -> usize {
        let planes = self.planes.iter();
        planes.map(|plane| self.row_words(plane, cols) * 4).sum()
    }

    /// The weights of a row of the file, run by run; none of no bytes.
    pub fn runs<'a>(&'a self, row: &'a [u8]) -> impl Iterator<Item = [f32; BLOCK_LEN]> + 'a {
        let runs = self.block_len / BLOCK_LEN;
        let blocks = row.get(self.head_bytes()..).unwrap_or_default();
        let scale = self.row_scale.filter(|_| !blocks.is_empty());
        let scale = scale.map_or(1.0, |scale| scale.of(row));
        let blocks = blocks.chunks(self.block_bytes);
        blocks.flat_map(move |block| {
            (0..runs).map(move |run| {
                let mut weights = [0.0; BLOCK_LEN];
                if block.len() == self.block_bytes {
                    (self.dequantize)(scale, block, run, &mut weights);
                } else {
                    // The rest of a row whose weights stand alone; what is missing is 0.
                    let mut whole = [0; 4 * BLOCK_LEN];
                    whole[..block.len()].copy_from_slice(block);
                    let whole = &whole[..self.block_bytes];
                    (self.dequantize)(scale, whole, run, &mut weights);
                }
                weights
            })
        })
    }

    /// The weights of whole rows of `cols` weights.
    #[must_use]
    pub fn dequantize_rows(&self, bytes: &[u8], cols: usize) -> Vec<f32> {
        let bytes = self.plain_rows(bytes, cols);
        let rows = bytes.chunks_exact(self.row_bytes(cols));
        rows.flat_map(|row| self.runs(row).flatten().take(cols))
            .collect()
    }

    /// A row of the file made of weights, whole blocks of them; nothing of a format that weights are not brought to.
    #[must_use]
    pub fn quantize_row(&self, weights: &[f32]) -> Vec<u8> {
        let Some(quantize) = self.quantize else {
            return Vec::new();
        };
        let mut row = vec![0; self.row_bytes(weights.len())];
        let (blocks, _) = weights.as_chunks();
        for (weights, block) in blocks.iter().zip(row.chunks_exact_mut(self.block_bytes)) {
            quantize(weights, block);
        }
        row
    }

    /// Fills a row of the file with weights of a size that models have.
    pub fn sample_row(&self, random: &mut dyn FnMut() -> u32, row: &mut [u8]) {
        if let Some(scale) = self.row_scale {
            // Not so small that an error in it would not be seen.
            let unit = sample_unit(random);
            scale.put(row, scale.sample * (0.5 + unit.abs() / 2.0).copysign(unit));
        }
        for block in row[self.head_bytes()..].chunks_exact_mut(self.block_bytes) {
            (self.sample)(random, block);
        }
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::weights::ggml_type::ggml_type;

    #[test]
    fn names_and_numbers_are_distinct() {
        let all: Vec<_> = FORMATS.iter().chain(INTERLEAVED).collect();
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert!(
                    a.name != b.name && a.ggml_type != b.ggml_type,
                    "{a:?} and {b:?} collide"
                );
            }
        }
    }

    #[test]
    fn blocks_are_those_of_the_file() {
        for format in FORMATS.iter().chain(INTERLEAVED) {
            let layout = ggml_type(format.ggml_type).expect("a known type");
            assert_eq!(format.name, layout.name.to_lowercase(), "{format:?}");
            assert!(
                format.block_len.is_multiple_of(BLOCK_LEN),
                "{format:?}: whole runs"
            );
            let bytes = layout.row_bytes(format.block_len as u64);
            let row = format.row_bytes(format.block_len) as u64;
            assert_eq!(bytes, Some(row), "{format:?}");
            assert_eq!(
                layout.row_extra_bytes as usize,
                format.head_bytes(),
                "{format:?}"
            );
            assert_eq!(
                layout.rows_together as usize,
                format.rows_together(),
                "{format:?}"
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
            let mut bytes = vec![0; format.row_bytes(format.block_len) * 100];
            bytes
                .chunks_exact_mut(format.row_bytes(format.block_len))
                .for_each(|row| format.sample_row(&mut random, row));
            let weights = format.dequantize_rows(&bytes, format.block_len);
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
