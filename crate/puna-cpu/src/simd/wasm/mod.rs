//! Kernels for WebAssembly's SIMD128, and for the relaxed instructions where the module is built with them. A
//! vector's four lanes are four rows; [`Products`] is all that differs.
//!
//! Engines turn them into machine code as they stand, so every instruction counts: a float's exponent is not corrected
//! when an f16 scale becomes one. It is [`DROP`] times what it should be, activations' scales are held [`LIFT`] times
//! what they are so that products stay away from the ends of a float's range, and a sum is corrected once, when it is
//! stored. All of these are powers of two, so nothing is rounded by them.

mod products;

use std::arch::wasm32::*;
use std::hint::black_box;

#[cfg(not(target_feature = "relaxed-simd"))]
use products::Singles;
#[cfg(target_feature = "relaxed-simd")]
use products::{Pairs, Words};
pub use products::{Products, Sums};

use super::LIFT;
use super::lanes::{DROP, HalfBits, madd};
use crate::activation::{Block, Row};
use crate::weights::bytes::{Bytes, SignedBytes};
use crate::weights::nibbles::Nibbles;
use crate::weights::run::Run;
use crate::weights::scale::{Scale, Scales};
use crate::weights::{GROUP, TILE};

/// Rows of a vector.
const LANES: usize = 4;

/// See [`crate::weights::Weights::dot`].
pub(crate) fn dot<B: Tile>(
    sums: Sums,
    blocks: &[B],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    match sums {
        #[cfg(target_feature = "relaxed-simd")]
        Sums::Words => by_tokens::<Words, B>(blocks, offset, x, out),
        #[cfg(target_feature = "relaxed-simd")]
        Sums::Pairs => by_tokens::<Pairs, B>(blocks, offset, x, out),
        #[cfg(not(target_feature = "relaxed-simd"))]
        Sums::Singles => by_tokens::<Singles, B>(blocks, offset, x, out),
    }
}

#[inline(always)]
fn by_tokens<P: Products, B: Tile>(
    blocks: &[B],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    match x {
        [a] => one::<P, B>(blocks, offset, a, out),
        [a, b] => some::<P, B, 2>(blocks, offset, [a, b], out),
        [a, b, c] => some::<P, B, 3>(blocks, offset, [a, b, c], out),
        [a, b, c, d] => some::<P, B, 4>(blocks, offset, [a, b, c, d], out),
        _ => {}
    }
}

/// One token. What integers stand for is added a block later: processors look ahead less far than the way from a
/// block's first load to its sum.
#[inline(always)]
fn one<P: Products, B: Tile>(
    blocks: &[B],
    offset: f32,
    x: &Row<'_>,
    out: &mut [[f32; GROUP]; TILE],
) {
    let kept = Kept::new();
    let Some((first, blocks_left)) = blocks.split_first() else {
        return;
    };
    let Some((first_x, x_left)) = x.blocks.split_first() else {
        return;
    };
    for four in 0..GROUP / LANES {
        let mut sums = [f32x4_splat(0.0)];
        let mut last = (first, first_x);
        let mut dots = first.dots::<P, 1>([first_x], four, kept);
        for (block, x) in blocks_left.iter().zip(x_left) {
            let next = block.dots::<P, 1>([x], four, kept);
            last.0.add(dots, [last.1], four, offset, kept, &mut sums);
            (dots, last) = (next, (block, x));
        }
        last.0.add(dots, [last.1], four, offset, kept, &mut sums);
        for rest in x.rests {
            let (block, x) = (&blocks[rest.at], [&rest.block]);
            let dots = block.dots::<P, 1>(x, four, kept);
            block.add(dots, x, four, offset, kept, &mut sums);
        }
        store::<1, B>(&sums, four, out);
    }
}

/// T tokens: four rows after the other, so that sums stay in registers.
#[inline(always)]
fn some<P: Products, B: Tile, const T: usize>(
    blocks: &[B],
    offset: f32,
    x: [&Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let kept = Kept::new();
    for four in 0..GROUP / LANES {
        let mut at = x.map(|x| x.blocks[..blocks.len()].as_ptr());
        let mut sums = [f32x4_splat(0.0); T];
        for block in blocks {
            // SAFETY: there are as many as blocks.
            let x = at.map(|at| unsafe { &*at });
            let dots = block.dots::<P, T>(x, four, kept);
            block.add(dots, x, four, offset, kept, &mut sums);
            // SAFETY: at most the end of it.
            at = at.map(|at| unsafe { at.add(1) });
        }
        for (sum, x) in sums.iter_mut().zip(x) {
            for rest in x.rests {
                let (block, x) = (&blocks[rest.at], [&rest.block]);
                let dots = block.dots::<P, 1>(x, four, kept);
                block.add(dots, x, four, offset, kept, std::array::from_mut(sum));
            }
        }
        store::<T, B>(&sums, four, out);
    }
}

/// The low bits of each byte.
const LOW_NIBBLES: v128 = u8x16(
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
);

/// Constants that stay in registers: engines make one anew wherever it is used.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    low_nibbles: v128,
    half_bits: HalfBits,
    /// In every 16 bits.
    #[cfg(target_feature = "relaxed-simd")]
    ones: v128,
}

impl Kept {
    #[inline(always)]
    fn new() -> Self {
        Self {
            low_nibbles: black_box(LOW_NIBBLES),
            half_bits: HalfBits::new(),
            #[cfg(target_feature = "relaxed-simd")]
            ones: black_box(i16x8_splat(1)),
        }
    }
}

/// A run of each of eight rows, as kernels take it.
pub trait Tile {
    /// What its scales are read times ([`floats`]).
    const DROP: f32;

    /// Sums of products of four rows, as integers.
    type Dots: Copy;

    /// Quants times x's quants, of four rows and T tokens.
    fn dots<P: Products, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        kept: Kept,
    ) -> [Self::Dots; T];

    /// Adds what they stand for to the sum of each of T tokens.
    fn add<const T: usize>(
        &self,
        dots: [Self::Dots; T],
        x: [&Block; T],
        four: usize,
        offset: f32,
        kept: Kept,
        sums: &mut [v128; T],
    );
}

impl<Q: Dots, S: Scale, const H: usize, const M: usize> Tile for Run<Q, S, H, M> {
    const DROP: f32 = if size_of::<S>() == 2 { DROP } else { 1.0 };

    type Dots = [v128; H];

    #[inline(always)]
    fn dots<P: Products, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        kept: Kept,
    ) -> [[v128; H]; T] {
        self.quants.dots::<P, H, T>(x, four, kept)
    }

    #[inline(always)]
    fn add<const T: usize>(
        &self,
        dots: [[v128; H]; T],
        x: [&Block; T],
        four: usize,
        offset: f32,
        kept: Kept,
        sums: &mut [v128; T],
    ) {
        Floats::new(&self.scales, four, offset, kept).add(dots, x, sums);
    }
}

/// Quants of eight rows, as kernels take them.
pub trait Dots {
    /// Times x's quants, of four rows and T tokens: sums of all or of each half.
    fn dots<P: Products, const H: usize, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        kept: Kept,
    ) -> [[v128; H]; T];
}

impl Dots for Nibbles {
    #[inline(always)]
    fn dots<P: Products, const H: usize, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        kept: Kept,
    ) -> [[v128; H]; T] {
        let mut dots = [[P::ZERO; H]; T];
        for (g, quants) in self.0.iter().enumerate() {
            let quants = four_rows(quants, four);
            let first = v128_and(quants, kept.low_nibbles);
            // A shift of bytes is several instructions on x86, one of words and a mask are two.
            let second = v128_and(u16x8_shr(quants, 4), kept.low_nibbles);
            for (dots, x) in dots.iter_mut().zip(x) {
                let x = [g, g + 4].map(|i| splat(&x.quants, i));
                if H == 1 {
                    dots[0].add_two([first, second], x);
                } else {
                    dots[0].add(first, x[0]);
                    dots[1].add(second, x[1]);
                }
            }
        }
        dots.map(|dots| dots.map(P::sums))
    }
}

impl Dots for Bytes {
    #[inline(always)]
    fn dots<P: Products, const H: usize, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        _: Kept,
    ) -> [[v128; H]; T] {
        let mut dots = [[i32x4_splat(0); H]; T];
        for (pair, quants) in self.0.as_chunks::<2>().0.iter().enumerate() {
            let quants = quants.each_ref().map(|quants| four_rows(quants, four));
            for (dots, x) in dots.iter_mut().zip(x) {
                let x = [0, 1].map(|i| splat(&x.quants, 2 * pair + i));
                let dots = &mut dots[half_of_pair::<H>(pair)];
                *dots = P::add_bytes(*dots, quants, x);
            }
        }
        dots
    }
}

impl Dots for SignedBytes {
    #[inline(always)]
    fn dots<P: Products, const H: usize, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        kept: Kept,
    ) -> [[v128; H]; T] {
        let quants = self.0.each_ref().map(|quants| four_rows(quants, four));
        x.map(|x| P::signed(&quants, x, kept))
    }
}

/// Which of H sums eight quants of a row belong to, the `pair`th of four.
const fn half_of_pair<const H: usize>(pair: usize) -> usize {
    pair / 2 * (H - 1)
}

/// The scales of a run of four rows.
struct Floats<const H: usize> {
    d: [v128; H],
    m: [v128; H],
    /// There is no m to add.
    is_plain: bool,
}

impl<const H: usize> Floats<H> {
    #[inline(always)]
    fn new<S: Scale, const M: usize>(
        of: &Scales<S, H, M>,
        four: usize,
        offset: f32,
        kept: Kept,
    ) -> Self {
        let d = of.d.each_ref().map(|d| floats(d, four, kept));
        let m = std::array::from_fn(|i| match of.m.get(i) {
            Some(m) => floats(m, four, kept),
            None => f32x4_mul(d[i], f32x4_splat(offset)),
        });
        Self {
            d,
            m,
            is_plain: M == 0 && offset == 0.0,
        }
    }

    /// Adds `Σ d·x's scale·dots + m·x's sum`, half by half.
    #[inline(always)]
    fn add<const T: usize>(&self, dots: [[v128; H]; T], x: [&Block; T], sums: &mut [v128; T]) {
        for ((sum, dots), x) in sums.iter_mut().zip(dots).zip(x) {
            let scale = float_splat(&x.scale);
            let dots = dots.map(|dots| f32x4_mul(f32x4_convert_i32x4(dots), scale));
            if self.is_plain {
                for (d, dots) in self.d.iter().zip(dots) {
                    *sum = madd(*d, dots, *sum);
                }
                continue;
            }
            // Of all, or of each half.
            let x_sums = x.sums.iter().skip(if H == 1 { 2 } else { 0 });
            for (((d, m), dots), x_sum) in self.d.iter().zip(self.m).zip(dots).zip(x_sums) {
                // The next block waits for the last addition alone.
                let both = madd(*d, dots, f32x4_mul(m, float_splat(x_sum)));
                *sum = f32x4_add(*sum, both);
            }
        }
    }
}

/// The bytes of four rows.
#[inline(always)]
fn four_rows(of: &[u8; LANES * GROUP], four: usize) -> v128 {
    load(&of.as_chunks::<16>().0[four])
}

/// The scales of four rows as floats; those of 16 bits times [`DROP`].
#[inline(always)]
fn floats<S: Scale>(of: &[S; GROUP], four: usize, kept: Kept) -> v128 {
    let four = &of.as_chunks::<LANES>().0[four];
    if size_of::<S>() == 2 {
        kept.half_bits.vector(bytemuck::cast_ref(four))
    } else {
        load(bytemuck::cast_ref::<_, [f32; LANES]>(four))
    }
}

/// 16 bytes.
#[inline(always)]
fn load<T, const N: usize>(of: &[T; N]) -> v128 {
    const { assert!(size_of::<[T; N]>() == size_of::<v128>()) }
    // SAFETY: as many bytes are read as there are, and any alignment is allowed.
    unsafe { v128_load(of.as_ptr().cast()) }
}

/// A float in every lane, in one instruction.
#[inline(always)]
fn float_splat(of: &f32) -> v128 {
    // SAFETY: 4 bytes are read, and any alignment is allowed.
    unsafe { v128_load32_splat(std::ptr::from_ref(of).cast()) }
}

/// Four neighbouring bytes in every lane, those from `4 · i`.
#[inline(always)]
fn splat(x: &[i8; 32], i: usize) -> v128 {
    let four = &x.as_chunks::<4>().0[i];
    // SAFETY: 4 bytes are read, and any alignment is allowed.
    unsafe { v128_load32_splat(four.as_ptr().cast()) }
}

#[inline(always)]
fn store<const T: usize, B: Tile>(sums: &[v128; T], four: usize, out: &mut [[f32; GROUP]; TILE]) {
    for (sums, out) in sums.iter().zip(out) {
        let out = &mut out.as_chunks_mut::<LANES>().0[four];
        let sums = f32x4_mul(*sums, f32x4_splat(1.0 / (LIFT * B::DROP)));
        // SAFETY: 4 floats are written, and any alignment is allowed.
        unsafe { v128_store(out.as_mut_ptr().cast(), sums) };
    }
}
