//! Kernels for WebAssembly's SIMD128, and for the relaxed instructions where the module is built with them. A
//! vector's four lanes are four rows; [`Dots`] is all that differs.

use std::arch::wasm32::*;

use crate::activation::Row;
use crate::weights::{GROUP, TILE, by_tokens, q4_1, q8_0};

/// Rows of a vector.
const LANES: usize = 4;

/// Four sums of products of bytes, one a row.
#[cfg(target_feature = "relaxed-simd")]
#[derive(Clone, Copy)]
struct Dots(v128);

#[cfg(target_feature = "relaxed-simd")]
impl Dots {
    const ZERO: Self = Self(i32x4(0, 0, 0, 0));

    /// Adds four products a row. `weights` are from 0 to 127: what else would give is the engine's choice.
    #[inline(always)]
    fn add(&mut self, weights: v128, x: v128) {
        self.0 = i32x4_relaxed_dot_i8x16_i7x16_add(x, weights, self.0);
    }

    /// As integers of 32 bits.
    #[inline(always)]
    fn sums(self) -> v128 {
        self.0
    }
}

/// Four sums of products of bytes: eight of 16 bits a half, four lanes of two rows each.
#[cfg(not(target_feature = "relaxed-simd"))]
#[derive(Clone, Copy)]
struct Dots([v128; 2]);

#[cfg(not(target_feature = "relaxed-simd"))]
impl Dots {
    const ZERO: Self = Self([i16x8(0, 0, 0, 0, 0, 0, 0, 0); 2]);

    /// Adds four products a row. Any four of them must fit 16 bits together with what is there.
    #[inline(always)]
    fn add(&mut self, weights: v128, x: v128) {
        let [low, high] = &mut self.0;
        *low = i16x8_add(*low, i16x8_extmul_low_i8x16(weights, x));
        *high = i16x8_add(*high, i16x8_extmul_high_i8x16(weights, x));
    }

    /// As integers of 32 bits.
    #[inline(always)]
    fn sums(self) -> v128 {
        let [low, high] = self.0.map(|pairs| i32x4_extadd_pairwise_i16x8(pairs));
        i32x4_add(
            i32x4_shuffle::<0, 2, 4, 6>(low, high),
            i32x4_shuffle::<1, 3, 5, 7>(low, high),
        )
    }
}

/// `a·b + c`.
#[inline(always)]
fn madd(a: v128, b: v128, c: v128) -> v128 {
    #[cfg(target_feature = "relaxed-simd")]
    return f32x4_relaxed_madd(a, b, c);
    #[cfg(not(target_feature = "relaxed-simd"))]
    f32x4_add(f32x4_mul(a, b), c)
}

/// See [`crate::weights::Weights::dot`].
pub(crate) fn q4_1(blocks: &[q4_1::Block], x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
    by_tokens!(q4_1_tile, blocks, x, out);
}

/// See [`crate::weights::Weights::dot`].
pub(crate) fn q8_0(blocks: &[q8_0::Block], x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
    by_tokens!(q8_0_tile, blocks, x, out);
}

#[inline(always)]
fn q4_1_tile<const T: usize>(
    blocks: &[q4_1::Block],
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    for half in 0..GROUP / LANES {
        q4_1_rows(half, blocks, x, out);
    }
}

/// Four rows.
#[inline(always)]
fn q4_1_rows<const T: usize>(
    half: usize,
    blocks: &[q4_1::Block],
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let low = u8x16_splat(15);
    let mut sums = [f32x4_splat(0.0); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[Dots::ZERO; 2]; T];
        for (g, quants) in block.q.iter().enumerate() {
            let quants = bytes(quants, half);
            let (first, second) = (v128_and(quants, low), u8x16_shr(quants, 4));
            for t in 0..T {
                // A half's sum is at most 16 · 15 · 127, a quarter of it in each lane of 16 bits.
                let x = &x[t].quants[b];
                dots[t][0].add(first, splat(x, 4 * g));
                dots[t][1].add(second, splat(x, 4 * g + 16));
            }
        }
        let (d, m) = (floats(&block.d, half), floats(&block.m, half));
        for t in 0..T {
            let dots = dots[t].map(Dots::sums);
            sums[t] = madd(m, f32x4_splat(x[t].sums[b]), sums[t]);
            sums[t] = madd(d, scaled(dots, x[t].scales[b]), sums[t]);
        }
    }
    store(&sums, half, out);
}

#[inline(always)]
fn q8_0_tile<const T: usize>(
    blocks: &[q8_0::Block],
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    for half in 0..GROUP / LANES {
        q8_0_rows(half, blocks, x, out);
    }
}

/// Four rows.
#[inline(always)]
fn q8_0_rows<const T: usize>(
    half: usize,
    blocks: &[q8_0::Block],
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let zero = i8x16_splat(0);
    let mut sums = [f32x4_splat(0.0); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[i32x4_splat(0); 2]; T];
        // Two products of 127 · 127 fit 16 bits, three do not.
        for (pair, quants) in block.q.as_chunks::<2>().0.iter().enumerate() {
            let quants = [0, 1].map(|i| bytes(bytemuck::cast_ref(&quants[i]), half));
            let magnitudes = quants.map(|quants| i8x16_abs(quants));
            let negative = quants.map(|quants| i8x16_lt(quants, zero));
            for t in 0..T {
                let mut sum = Dots::ZERO;
                for i in 0..2 {
                    // |w| · (x with w's sign).
                    let x = splat(&x[t].quants[b], 8 * pair + 4 * i);
                    let x = i8x16_sub(v128_xor(x, negative[i]), negative[i]);
                    sum.add(magnitudes[i], x);
                }
                dots[t][pair / 2] = i32x4_add(dots[t][pair / 2], sum.sums());
            }
        }
        let d = floats(&block.d, half);
        for t in 0..T {
            sums[t] = madd(d, scaled(dots[t], x[t].scales[b]), sums[t]);
        }
    }
    store(&sums, half, out);
}

/// The two halves' integers, each times its scale.
#[inline(always)]
fn scaled(dots: [v128; 2], scales: [f32; 2]) -> v128 {
    let [first, second] = dots.map(|dots| f32x4_convert_i32x4(dots));
    let second = f32x4_mul(second, f32x4_splat(scales[1]));
    madd(first, f32x4_splat(scales[0]), second)
}

/// The bytes of four rows.
#[inline(always)]
fn bytes(of: &[u8; LANES * GROUP], half: usize) -> v128 {
    let four = &of[16 * half..16 * half + 16];
    // SAFETY: 16 bytes are read, and any alignment is allowed.
    unsafe { v128_load(four.as_ptr().cast()) }
}

#[inline(always)]
fn floats(of: &[f32; GROUP], half: usize) -> v128 {
    let four = &of[LANES * half..LANES * half + LANES];
    // SAFETY: 4 floats are read, and any alignment is allowed.
    unsafe { v128_load(four.as_ptr().cast()) }
}

/// Four neighbouring bytes in every lane.
#[inline(always)]
fn splat(x: &[i8; 32], at: usize) -> v128 {
    let four = &x[at..at + 4];
    // SAFETY: 4 bytes are read, and any alignment is allowed.
    unsafe { v128_load32_splat(four.as_ptr().cast()) }
}

#[inline(always)]
fn store<const T: usize>(sums: &[v128; T], half: usize, out: &mut [[f32; GROUP]; TILE]) {
    for (sums, out) in sums.iter().zip(out) {
        let four = &mut out[LANES * half..LANES * half + LANES];
        // SAFETY: 4 floats are written, and any alignment is allowed.
        unsafe { v128_store(four.as_mut_ptr().cast(), *sums) };
    }
}
