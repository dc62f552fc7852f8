//! Activations rounded to 8 bits: 32 signed bytes a block, and a scale for each half of it. Halves, because a
//! model's activations have outliers, and all that shares a scale with one is rounded by it.

use puna_core::quant::BLOCK_LEN;

use crate::scatter::Scatter;

/// Activations that share a scale.
const HALF: usize = BLOCK_LEN / 2;

/// Rows of activations as blocks, `x ≈ d·q` with q from -127 to 127.
#[derive(Clone, Debug, Default)]
pub struct Activations {
    /// (T, K).
    pub quants: Vec<[i8; BLOCK_LEN]>,
    /// (T, K / 32): d of each half.
    pub scales: Vec<[f32; 2]>,
    /// (T, K / 32): d·Σq of each half and of both, what a format's offset is multiplied by.
    pub sums: Vec<[f32; 3]>,
    /// (T, K) as they were, for formats without a kernel of integers.
    pub floats: Vec<f32>,
    /// K / 32.
    pub blocks: usize,
}

impl Activations {
    /// Room for `tokens` rows of `cols`; what was there before is gone.
    pub fn resize(&mut self, tokens: usize, cols: usize) {
        self.blocks = cols / BLOCK_LEN;
        let blocks = tokens * self.blocks;
        self.quants.resize(blocks, [0; BLOCK_LEN]);
        self.scales.resize(blocks, [0.0; 2]);
        self.sums.resize(blocks, [0.0; 3]);
        self.floats.resize(blocks * BLOCK_LEN, 0.0);
    }

    /// Takes rows (T, K) and rounds them; what was there before is gone.
    pub fn quantize(&mut self, x: &[f32], cols: usize) {
        self.resize(x.len() / cols.max(1), cols);
        let writer = self.writer();
        for (t, x) in x.chunks_exact(cols).enumerate() {
            // SAFETY: one thread.
            unsafe { writer.put(t, x.iter().copied()) };
        }
    }

    /// For rounding rows on several threads.
    pub(crate) fn writer(&mut self) -> Writer<'_> {
        Writer {
            blocks: self.blocks,
            quants: Scatter::new(&mut self.quants),
            scales: Scatter::new(&mut self.scales),
            sums: Scatter::new(&mut self.sums),
            floats: Scatter::new(&mut self.floats),
        }
    }

    /// T.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.scales.len().checked_div(self.blocks).unwrap_or(0)
    }

    /// The blocks of row `t`.
    #[must_use]
    pub fn row(&self, t: usize) -> Row<'_> {
        let range = t * self.blocks..(t + 1) * self.blocks;
        Row {
            quants: &self.quants[range.clone()],
            scales: &self.scales[range.clone()],
            sums: &self.sums[range.clone()],
            floats: &self.floats[range.start * BLOCK_LEN..range.end * BLOCK_LEN],
        }
    }
}

/// Rounds rows, each on one thread.
#[derive(Debug)]
pub(crate) struct Writer<'a> {
    blocks: usize,
    quants: Scatter<'a, [i8; BLOCK_LEN]>,
    scales: Scatter<'a, [f32; 2]>,
    sums: Scatter<'a, [f32; 3]>,
    floats: Scatter<'a, f32>,
}

impl Writer<'_> {
    /// Takes row `t`, (K,).
    ///
    /// # Safety
    /// No two threads take the same row.
    #[inline(always)]
    pub(crate) unsafe fn put(&self, t: usize, x: impl Iterator<Item = f32>) {
        let range = t * self.blocks..(t + 1) * self.blocks;
        // SAFETY: the caller's promise.
        let (quants, scales, sums, floats) = unsafe {
            (
                self.quants.slice(range.clone()),
                self.scales.slice(range.clone()),
                self.sums.slice(range.clone()),
                self.floats
                    .slice(range.start * BLOCK_LEN..range.end * BLOCK_LEN),
            )
        };
        for (float, x) in floats.iter_mut().zip(x) {
            *float = x;
        }
        let blocks = floats.as_chunks::<BLOCK_LEN>().0.iter();
        let outs = quants.iter_mut().zip(scales).zip(sums);
        for (x, ((quants, scales), sum)) in blocks.zip(outs) {
            let halves = x.as_chunks::<HALF>().0.iter();
            for (i, (x, out)) in halves.zip(quants.as_chunks_mut::<HALF>().0).enumerate() {
                (*out, scales[i]) = quantize_half(x);
                let total: i32 = out.iter().map(|&q| i32::from(q)).sum();
                // At most 16 · 127: exact.
                sum[i] = scales[i] * total as f32;
            }
            sum[2] = sum[0] + sum[1];
        }
    }
}

/// One row of activations, (K,).
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// (K / 32,) blocks of q.
    pub quants: &'a [[i8; BLOCK_LEN]],
    /// (K / 32,): d of each half.
    pub scales: &'a [[f32; 2]],
    /// (K / 32,): d·Σq of each half and of both.
    pub sums: &'a [[f32; 3]],
    /// (K,).
    pub floats: &'a [f32],
}

impl Row<'_> {
    /// Its first `blocks` blocks: what a kernel reads, so that its loops need not check.
    #[must_use]
    pub fn first(self, blocks: usize) -> Self {
        Row {
            quants: &self.quants[..blocks],
            scales: &self.scales[..blocks],
            sums: &self.sums[..blocks],
            floats: self.floats,
        }
    }
}

/// Whole numbers that the largest magnitude of half a block may become.
const STEPS: [f32; 5] = [127.0, 125.0, 123.0, 121.0, 119.0];

/// q and d of half a block, with the scale of those in [`STEPS`] that loses least.
#[inline(always)]
fn quantize_half(x: &[f32; HALF]) -> ([i8; HALF], f32) {
    let largest = largest(x);
    let mut best = 0.0;
    let mut least = f32::INFINITY;
    for steps in STEPS {
        let scale = largest / steps;
        let lost = lost(x, scale);
        if lost < least {
            (best, least) = (scale, lost);
        }
    }
    (round_half(x, best), best)
}

/// Sums and the like are kept four at a time: lanes of a vector.
const LANES: usize = 4;

/// The largest magnitude.
#[inline(always)]
fn largest(x: &[f32; HALF]) -> f32 {
    let mut largest = [0.0f32; LANES];
    for x in x.as_chunks::<LANES>().0 {
        for (largest, x) in largest.iter_mut().zip(x) {
            // No `max`, which asks for more where a number is none.
            *largest = if x.abs() > *largest {
                x.abs()
            } else {
                *largest
            };
        }
    }
    largest.into_iter().fold(0.0, f32::max)
}

/// The sum of squares that rounding by a scale loses.
#[inline(always)]
fn lost(x: &[f32; HALF], scale: f32) -> f32 {
    let inverse = inverse(scale);
    let mut sums = [0.0f32; LANES];
    for x in x.as_chunks::<LANES>().0 {
        for (sum, x) in sums.iter_mut().zip(x) {
            let lost = x - (x * inverse + ROUND - ROUND) * scale;
            *sum += lost * lost;
        }
    }
    sums.iter().sum()
}

/// Adding and subtracting 1.5·2²³ rounds to the nearest whole number, ties to even, in every instruction set.
const ROUND: f32 = 12_582_912.0;

fn inverse(scale: f32) -> f32 {
    if scale > 0.0 { 1.0 / scale } else { 0.0 }
}

#[inline(always)]
#[expect(
    clippy::cast_possible_truncation,
    reason = "from -127 to 127; what is no number becomes 0"
)]
fn round_half(x: &[f32; HALF], scale: f32) -> [i8; HALF] {
    let inverse = inverse(scale);
    x.map(|x| (x * inverse + ROUND - ROUND) as i8)
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
        let quants = quantized.quants.iter().flatten();
        let scales = quantized.scales.iter().flatten();
        let scales = scales.flat_map(|scale| [*scale; HALF]);
        for ((&x, &q), scale) in x.iter().zip(quants).zip(scales) {
            assert!(
                (f32::from(q) * scale - x).abs() <= scale * 0.5001,
                "{x} became {q} · {scale}"
            );
        }
        assert!(
            quantized.scales[0][1] < 0.03,
            "the outlier is the other half's"
        );
        assert_eq!(quantized.scales[2], [0.0; 2], "a block of zeros");
    }
}
