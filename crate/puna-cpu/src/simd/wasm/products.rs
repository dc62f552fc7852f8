//! Sums of products of bytes, by what an engine has the fewest instructions for.

use std::arch::wasm32::*;
#[cfg(target_feature = "relaxed-simd")]
use std::hint::black_box;

use super::{Kept, half_of_pair, splat};
use crate::activation::Block;
#[cfg(target_feature = "relaxed-simd")]
use crate::activation::Parts;

/// How products of bytes are summed fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// [`Words`].
    #[cfg(target_feature = "relaxed-simd")]
    Words,
    /// [`Pairs`].
    #[cfg(target_feature = "relaxed-simd")]
    Pairs,
    /// [`Singles`].
    #[cfg(not(target_feature = "relaxed-simd"))]
    Singles,
}

impl Sums {
    /// Those that are right on this machine, the best last.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        #[cfg(not(target_feature = "relaxed-simd"))]
        return [Self::Singles].into_iter();
        #[cfg(target_feature = "relaxed-simd")]
        [Some(Self::Pairs), Words::is_signed().then_some(Self::Words)]
            .into_iter()
            .flatten()
    }
}

/// Sums of products of bytes, of four rows, by what an engine has the fewest instructions for.
pub trait Products: Copy {
    /// No products.
    const ZERO: Self;

    /// Adds four products a row. Weights are from 0 to 15, and there are at most 32 products a row.
    fn add(&mut self, weights: v128, x: v128);

    /// Twice.
    #[inline(always)]
    fn add_two(&mut self, weights: [v128; 2], x: [v128; 2]) {
        self.add(weights[0], x[0]);
        self.add(weights[1], x[1]);
    }

    /// As integers of 32 bits.
    fn sums(self) -> v128;

    /// `before` and eight products a row; weights are from 0 to 63.
    fn add_bytes(before: v128, weights: [v128; 2], x: [v128; 2]) -> v128;

    /// 32 products a row of signed weights, of which each vector has four: sums of all or of each half.
    fn signed<const H: usize>(weights: &[v128; 8], x: &Block, kept: Kept) -> [v128; H];
}

/// [`Products::signed`] where signed weights are as good as any.
#[inline(always)]
fn signed_as_bytes<P: Products, const H: usize>(weights: &[v128; 8], x: &Block) -> [v128; H] {
    let mut dots = [i32x4_splat(0); H];
    for (pair, weights) in weights.as_chunks::<2>().0.iter().enumerate() {
        let x = [0, 1].map(|i| splat(&x.quants, 2 * pair + i));
        let dots = &mut dots[half_of_pair::<H>(pair)];
        *dots = P::add_bytes(*dots, *weights, x);
    }
    dots
}

/// As 32 bits: one instruction for four products where an engine maps it to one of the processor's (ARM's `sdot`).
#[cfg(target_feature = "relaxed-simd")]
#[derive(Clone, Copy)]
pub(crate) struct Words(v128);

#[cfg(target_feature = "relaxed-simd")]
impl Words {
    /// Whether the bytes that only go to 127 may be negative: the engine's choice, but always the same (relaxed SIMD
    /// proposal, "relaxed integer dot product").
    fn is_signed() -> bool {
        let (ones, lowest) = (black_box(i8x16_splat(1)), black_box(i8x16_splat(-128)));
        let sums = i32x4_relaxed_dot_i8x16_i7x16_add(ones, lowest, i32x4_splat(0));
        i32x4_extract_lane::<0>(sums) == -512
    }
}

#[cfg(target_feature = "relaxed-simd")]
impl Products for Words {
    const ZERO: Self = Self(i32x4(0, 0, 0, 0));

    #[inline(always)]
    fn add(&mut self, weights: v128, x: v128) {
        self.0 = i32x4_relaxed_dot_i8x16_i7x16_add(weights, x, self.0);
    }

    #[inline(always)]
    fn sums(self) -> v128 {
        self.0
    }

    #[inline(always)]
    fn add_bytes(before: v128, weights: [v128; 2], x: [v128; 2]) -> v128 {
        let mut sums = Self(before);
        sums.add(weights[0], x[0]);
        sums.add(weights[1], x[1]);
        sums.0
    }

    #[inline(always)]
    fn signed<const H: usize>(weights: &[v128; 8], x: &Block, _: Kept) -> [v128; H] {
        signed_as_bytes::<Self, H>(weights, x)
    }
}

/// As 16 bits, two a row: one instruction for two products (x86's `pmaddubsw`). Each holds sixteen of a row's products,
/// at most 16 · 15 · 127.
#[cfg(target_feature = "relaxed-simd")]
#[derive(Clone, Copy)]
pub(crate) struct Pairs(v128);

#[cfg(target_feature = "relaxed-simd")]
impl Products for Pairs {
    const ZERO: Self = Self(i16x8(0, 0, 0, 0, 0, 0, 0, 0));

    #[inline(always)]
    fn add(&mut self, weights: v128, x: v128) {
        self.0 = i16x8_add(self.0, i16x8_relaxed_dot_i8x16_i7x16(x, weights));
    }

    #[inline(always)]
    fn add_two(&mut self, weights: [v128; 2], x: [v128; 2]) {
        // Saturating, so that the compiler doesn't make one long chain of additions.
        let [a, b] = [0, 1].map(|i| i16x8_relaxed_dot_i8x16_i7x16(x[i], weights[i]));
        self.0 = i16x8_add_sat(self.0, i16x8_add_sat(a, b));
    }

    #[inline(always)]
    fn sums(self) -> v128 {
        i32x4_extadd_pairwise_i16x8(self.0)
    }

    #[inline(always)]
    fn add_bytes(before: v128, weights: [v128; 2], x: [v128; 2]) -> v128 {
        // Twice at most 2 · 63 · 127: fits 16 bits.
        let [a, b] = [0, 1].map(|i| i16x8_relaxed_dot_i8x16_i7x16(x[i], weights[i]));
        i32x4_add(before, i32x4_extadd_pairwise_i16x8(i16x8_add(a, b)))
    }

    #[inline(always)]
    fn signed<const H: usize>(weights: &[v128; 8], x: &Block, kept: Kept) -> [v128; H] {
        // w·x is |x|·w, or |x|·(-w - 1) + |x| where x is negative: -w - 1 is w with all bits turned over.
        let Parts {
            magnitudes,
            signs,
            negative: [first, second],
        } = &x.parts;
        let mut dots = [i32x4_splat(*second); H];
        dots[0] = i32x4_splat(if H == 1 { first + second } else { *first });
        for (g, weights) in weights.iter().enumerate() {
            let weights = v128_xor(*weights, splat(signs, g));
            // Two products are at most 2 · 128 · 127: fit 16 bits.
            let products = i16x8_relaxed_dot_i8x16_i7x16(weights, splat(magnitudes, g));
            let dots = &mut dots[half_of_pair::<H>(g / 2)];
            *dots = i32x4_add(*dots, i32x4_dot_i16x8(products, kept.ones));
        }
        dots
    }
}

/// As 16 bits, four a row, in two vectors of two rows each.
#[cfg(not(target_feature = "relaxed-simd"))]
#[derive(Clone, Copy)]
pub(crate) struct Singles([v128; 2]);

#[cfg(not(target_feature = "relaxed-simd"))]
impl Products for Singles {
    const ZERO: Self = Self([i16x8(0, 0, 0, 0, 0, 0, 0, 0); 2]);

    #[inline(always)]
    fn add(&mut self, weights: v128, x: v128) {
        let [low, high] = &mut self.0;
        *low = i16x8_add(*low, i16x8_extmul_low_i8x16(weights, x));
        *high = i16x8_add(*high, i16x8_extmul_high_i8x16(weights, x));
    }

    #[inline(always)]
    fn sums(self) -> v128 {
        let [low, high] = self.0.map(|pairs| i32x4_extadd_pairwise_i16x8(pairs));
        i32x4_add(
            i32x4_shuffle::<0, 2, 4, 6>(low, high),
            i32x4_shuffle::<1, 3, 5, 7>(low, high),
        )
    }

    #[inline(always)]
    fn add_bytes(before: v128, weights: [v128; 2], x: [v128; 2]) -> v128 {
        // A lane has two products: at most 2 · 127 · 127.
        let mut sums = Self::ZERO;
        sums.add(weights[0], x[0]);
        sums.add(weights[1], x[1]);
        i32x4_add(before, sums.sums())
    }

    #[inline(always)]
    fn signed<const H: usize>(weights: &[v128; 8], x: &Block, _: Kept) -> [v128; H] {
        signed_as_bytes::<Self, H>(weights, x)
    }
}
