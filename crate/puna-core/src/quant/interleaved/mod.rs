//! Formats of `ik_llama.cpp` that store several rows together: what four, eight or sixteen rows have at a place of their
//! blocks stands side by side. They are taken apart at upload; everything else knows their plain formats alone.
//!
//! A group of rows begins with the scales of its rows, where the plain format has them, and then has as many bytes for each
//! block as the blocks of all its rows (`ik_llama.cpp`, `iqk_quantize.cpp` and `ggml-common.h`).

mod bits;
mod ik;
mod iq;
mod k;
mod legacy;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod together;

use std::borrow::Cow;

use super::Format;

/// Every format that stores rows together, a line each.
pub static INTERLEAVED: &[&Format] = &[
    &legacy::Q4_0_R8,
    &legacy::Q5_0_R4,
    &legacy::Q8_0_R8,
    &k::Q2_K_R4,
    &k::Q3_K_R4,
    &k::Q4_K_R4,
    &k::Q5_K_R4,
    &k::Q6_K_R4,
    &iq::IQ2_XXS_R4,
    &iq::IQ2_XS_R4,
    &iq::IQ3_XXS_R4,
    &iq::IQ4_NL_R4,
    &iq::IQ3_S_R4,
    &iq::IQ2_S_R4,
    &iq::IQ4_XS_R8,
    &legacy::BF16_R16,
    &legacy::Q6_0_R4,
    &ik::IQ2_K_R4,
    &ik::IQ3_K_R4,
    &ik::IQ4_K_R4,
    &ik::IQ5_K_R4,
    &ik::IQ4_KS_R4,
    &ik::IQ5_KS_R4,
];

/// How rows stand together.
#[derive(Clone, Copy, Debug)]
pub struct Interleaving {
    /// What a row is when it stands alone.
    pub plain: &'static Format,
    /// Rows of a group.
    pub rows: usize,
    /// The bytes of a block of all rows, which row, zeros → the row's block.
    take: fn(&[u8], usize, &mut [u8]),
}

/// In [`Interleaving::sources`]: nothing.
pub const NONE: u32 = 0xffff;

impl Interleaving {
    /// A row of a group of rows, into zeros.
    fn take_row(&self, group: &[u8], row: usize, out: &mut [u8]) {
        let head = self.plain.head_bytes();
        let (scales, blocks) = group.split_at(self.rows * head);
        let (out_head, out_blocks) = out.split_at_mut(head);
        out_head.copy_from_slice(&scales[row * head..][..head]);
        let bytes = self.plain.block_bytes;
        let blocks = blocks.chunks_exact(self.rows * bytes);
        for (block, out) in blocks.zip(out_blocks.chunks_exact_mut(bytes)) {
            (self.take)(block, row, out);
        }
    }

    /// For each bit of a block of each row, the numbers of the bits in the block of all rows that it is made of: one in
    /// the low half of the word; in the upper half another that is added to it without carry, or [`NONE`].
    #[must_use]
    pub fn sources(&self) -> Vec<u32> {
        let bytes = self.plain.block_bytes;
        let mut sources = vec![NONE << 16 | NONE; self.rows * bytes * 8];
        let mut together = vec![0_u8; self.rows * bytes];
        let mut alone = vec![0_u8; bytes];
        for bit in 0..self.rows * bytes * 8 {
            together[bit / 8] = 1 << (bit % 8);
            for row in 0..self.rows {
                alone.fill(0);
                (self.take)(&together, row, &mut alone);
                for (at, byte) in alone.iter().enumerate().filter(|(_, byte)| **byte != 0) {
                    for set in (0..8).filter(|set| byte >> set & 1 == 1) {
                        let source = &mut sources[(row * bytes + at) * 8 + set];
                        // The one that is known moves up.
                        *source = *source << 16 | u32::try_from(bit).unwrap_or(NONE);
                    }
                }
            }
            together[bit / 8] = 0;
        }
        sources
    }
}

impl Interleaving {
    /// Whole groups of rows of `cols` weights, put together as the file has them: what is taken apart again by
    /// [`Format::plain_rows`]. For models made on the spot.
    #[must_use]
    pub fn put_together(&self, plain: &[u8], cols: usize) -> Vec<u8> {
        let (head, bytes) = (self.plain.head_bytes(), self.plain.block_bytes);
        let row_bytes = self.plain.row_bytes(cols);
        let sources = self.sources();
        let mut together = Vec::with_capacity(plain.len());
        for group in plain.chunks_exact(self.rows * row_bytes) {
            let rows: Vec<_> = group.chunks_exact(row_bytes).collect();
            rows.iter()
                .for_each(|row| together.extend_from_slice(&row[..head]));
            for at in (head..row_bytes).step_by(bytes) {
                let blocks = rows.iter().flat_map(|row| &row[at..at + bytes]);
                let blocks: Vec<_> = blocks.copied().collect();
                together.extend(self.put_block(&sources, &blocks));
            }
        }
        together
    }

    /// A block of each row, one after the other → the block of all.
    fn put_block(&self, sources: &[u32], blocks: &[u8]) -> Vec<u8> {
        let mut bits: Vec<Option<u8>> = vec![None; blocks.len() * 8];
        let known = |bits: &[Option<u8>], bit: u32| bits.get(bit as usize).copied().flatten();
        // A bit that is a sum of two is known when one of them is: signs are summed up from the first one on.
        while bits.contains(&None) {
            for (at, &source) in sources.iter().enumerate() {
                let value = blocks[at / 8] >> (at % 8) & 1;
                let (one, other) = (source & NONE, source >> 16);
                let (bit, value) = match (other, known(&bits, one), known(&bits, other)) {
                    (NONE, ..) => (one, value),
                    (_, Some(it), _) => (other, value ^ it),
                    (_, _, Some(it)) => (one, value ^ it),
                    _ => continue,
                };
                bits[bit as usize] = Some(value);
            }
        }
        let byte = |eight: &[Option<u8>]| {
            let bits = eight.iter().enumerate();
            bits.fold(0, |byte, (at, bit)| byte | bit.unwrap_or(0) << at)
        };
        bits.chunks_exact(8).map(byte).collect()
    }
}

impl Format {
    /// What its rows are when they stand alone: most formats themselves.
    #[must_use]
    pub fn plain(&self) -> &Self {
        self.interleaving.map_or(self, |it| it.plain)
    }

    /// Rows that are stored together.
    #[must_use]
    pub fn rows_together(&self) -> usize {
        self.interleaving.map_or(1, |it| it.rows)
    }

    /// Whole groups of rows of `cols` weights, as the plain format has them: row after row.
    #[must_use]
    pub fn plain_rows<'a>(&self, bytes: &'a [u8], cols: usize) -> Cow<'a, [u8]> {
        let Some(interleaving) = self.interleaving else {
            return Cow::Borrowed(bytes);
        };
        let row_bytes = self.row_bytes(cols);
        let mut plain = vec![0; bytes.len()];
        let groups = bytes.chunks_exact(row_bytes * interleaving.rows);
        for (group, out) in groups.zip(plain.chunks_exact_mut(row_bytes * interleaving.rows)) {
            for (row, out) in out.chunks_exact_mut(row_bytes).enumerate() {
                interleaving.take_row(group, row, out);
            }
        }
        Cow::Owned(plain)
    }
}
