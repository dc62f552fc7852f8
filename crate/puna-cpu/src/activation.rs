//! Activations rounded to 8 bits: 32 signed bytes a block, and a scale for each half of it. Halves, because a
//! model's activations have outliers, and all that shares a scale with one is rounded by it.

use puna_core::quant::BLOCK_LEN;

use crate::scatter::Scatter;
use crate::simd::lanes::{LANES, Lanes};

/// Activations that share a scale.
const HALF: usize = BLOCK_LEN / 2;

/// A run of activations, `x ≈ scale·quant` half by half, with quants from -127 to 127.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// The quants.
    pub quants: [i8; BLOCK_LEN],
    /// Of each half.
    pub scales: [f32; 2],
    /// scale·Σquant of each half and of both: what a format's offset is multiplied by.
    pub sums: [f32; 3],
}

impl Block {
    const ZERO: Self = Self {
        quants: [0; BLOCK_LEN],
        scales: [0.0; 2],
        sums: [0.0; 3],
    };

    #[inline(always)]
    fn new(x: &[f32; BLOCK_LEN]) -> Self {
        let mut block = Self::ZERO;
        let halves = x.as_chunks::<HALF>().0.iter();
        let outs = block.quants.as_chunks_mut::<HALF>().0.iter_mut();
        for (i, (x, out)) in halves.zip(outs).enumerate() {
            (*out, block.scales[i], block.sums[i]) = round_half(x);
        }
        block.sums[2] = block.sums[0] + block.sums[1];
        block
    }
}

/// Rows of activations.
#[derive(Clone, Debug, Default)]
pub struct Activations {
    /// (T, K / 32).
    pub blocks: Vec<Block>,
    /// (T, K) as they were, for formats without a kernel of integers.
    pub floats: Vec<f32>,
    /// K / 32.
    per_row: usize,
}

impl Activations {
    /// Room for `tokens` rows of `cols`; what was there before is gone.
    pub fn resize(&mut self, tokens: usize, cols: usize) {
        self.per_row = cols / BLOCK_LEN;
        let blocks = tokens * self.per_row;
        self.blocks.resize(blocks, Block::ZERO);
        self.floats.resize(blocks * BLOCK_LEN, 0.0);
    }

    /// Takes rows (T, K) and rounds them; what was there before is gone.
    pub fn quantize(&mut self, x: &[f32], cols: usize) {
        self.resize(x.len() / cols.max(1), cols);
        let writer = self.writer();
        for (t, x) in x.chunks_exact(cols).enumerate() {
            // SAFETY: one thread.
            unsafe { writer.put(t, |row| row.copy_from_slice(x)) };
        }
    }

    /// For rounding rows on several threads.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer {
            per_row: self.per_row,
            blocks: Scatter::new(&mut self.blocks),
            floats: Scatter::new(&mut self.floats),
        }
    }

    /// T.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.blocks.len().checked_div(self.per_row).unwrap_or(0)
    }

    /// Row `t`.
    #[must_use]
    pub fn row(&self, t: usize) -> Row<'_> {
        let range = t * self.per_row..(t + 1) * self.per_row;
        Row {
            floats: &self.floats[range.start * BLOCK_LEN..range.end * BLOCK_LEN],
            blocks: &self.blocks[range],
        }
    }
}

/// Rounds rows, each on one thread.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    per_row: usize,
    blocks: Scatter<'a, Block>,
    floats: Scatter<'a, f32>,
}

impl Writer<'_> {
    /// Takes row `t`, (K,), which `fill` writes.
    ///
    /// # Safety
    /// No two threads take the same row.
    #[inline(always)]
    pub(crate) unsafe fn put(&self, t: usize, fill: impl FnOnce(&mut [f32])) {
        let range = t * self.per_row..(t + 1) * self.per_row;
        // SAFETY: the caller's promise.
        let (blocks, floats) = unsafe {
            (
                self.blocks.slice(range.clone()),
                self.floats
                    .slice(range.start * BLOCK_LEN..range.end * BLOCK_LEN),
            )
        };
        fill(floats);
        for (block, x) in blocks.iter_mut().zip(floats.as_chunks::<BLOCK_LEN>().0) {
            *block = Block::new(x);
        }
    }
}

/// One row of activations, (K,).
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// (K / 32,).
    pub blocks: &'a [Block],
    /// (K,).
    pub floats: &'a [f32],
}

impl Row<'_> {
    /// Its first `blocks` blocks: what a kernel reads, so that its loops need not check.
    #[must_use]
    pub fn first(self, blocks: usize) -> Self {
        Row {
            blocks: &self.blocks[..blocks],
            ..self
        }
    }
}

/// Whole numbers that the largest magnitude of half a block may become.
const STEPS: [f32; 5] = [127.0, 125.0, 123.0, 121.0, 119.0];

/// Quants of half a block, with the scale of those in [`STEPS`] that loses least; the scale, and scale·Σquant.
#[inline(always)]
fn round_half(x: &[f32; HALF]) -> ([i8; HALF], f32, f32) {
    let x: [Lanes; HALF / LANES] =
        std::array::from_fn(|i| Lanes::from(std::array::from_fn(|lane| x[LANES * i + lane])));
    let mut largest = Lanes::splat(0.0);
    for x in x {
        largest = largest.max(x.abs());
    }
    let largest = largest.highest();
    let unit = if largest > 0.0 { 1.0 / largest } else { 0.0 };
    let mut best = (0.0, 0.0);
    let mut least = f32::INFINITY;
    for steps in STEPS {
        let (scale, inverse) = (largest * (1.0 / steps), steps * unit);
        let lost = lost(x, scale, inverse);
        if lost < least {
            (best, least) = ((scale, inverse), lost);
        }
    }
    let (scale, inverse) = best;
    let x = x.map(|x| x * Lanes::splat(inverse));
    let sum = x.map(Lanes::round).into_iter().reduce(|a, b| a + b);
    // At most 16 · 127: exact.
    let sum = sum.map_or(0.0, Lanes::sum);
    (Lanes::round_to_bytes(x), scale, scale * sum)
}

/// The sum of squares that rounding by a scale loses.
#[inline(always)]
fn lost(x: [Lanes; HALF / LANES], scale: f32, inverse: f32) -> f32 {
    let (scale, inverse) = (Lanes::splat(scale), Lanes::splat(inverse));
    let mut sums = Lanes::splat(0.0);
    for x in x {
        let lost = x - (x * inverse).round() * scale;
        sums = lost.mul_add(lost, sums);
    }
    sums.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_half_keeps_its_largest_and_loses_at_most_half_a_step() {
        let mut x: Vec<f32> = (0..96).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
        x[3] = 1000.0;
        x[64..].fill(0.0);
        let mut quantized = Activations::default();
        quantized.quantize(&x, 96);
        assert_eq!(quantized.tokens(), 1, "one row");
        let quants = quantized.blocks.iter().flat_map(|block| block.quants);
        let scales = quantized.blocks.iter().flat_map(|block| block.scales);
        let scales = scales.flat_map(|scale| [scale; HALF]);
        for ((&x, q), scale) in x.iter().zip(quants).zip(scales) {
            assert!(
                (f32::from(q) * scale - x).abs() <= scale * 0.5001,
                "{x} became {q} · {scale}"
            );
        }
        assert!(
            quantized.blocks[0].scales[1] < 0.03,
            "the outlier is the other half's"
        );
        assert_eq!(quantized.blocks[2].scales, [0.0; 2], "a block of zeros");
    }
}
