//! Kernels for WebAssembly's SIMD128, and for the relaxed instructions where the module is built with them. A
//! vector's four lanes are four rows; [`Dots`] is all that differs.

use std::arch::wasm32::*;
use std::hint::black_box;

use super::lanes::{halves, madd};
use crate::activation::{Block, Row};
use crate::weights::bytes::Bytes;
use crate::weights::nibbles::Nibbles;
use crate::weights::scale::{Scale, Scales};
use crate::weights::{GROUP, TILE};

/// Rows of a vector.
const LANES: usize = 4;

/// How products of bytes are summed fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// [`Words`].
    #[cfg(target_feature = "relaxed-simd")]
    Words,
    /// [`Pairs`].
    #[cfg(target_feature = "relaxed-simd")]
    Pairs,
    /// [`Products`].
    #[cfg(not(target_feature = "relaxed-simd"))]
    Products,
}

impl Sums {
    /// Those that are right on this machine, the best last.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        #[cfg(not(target_feature = "relaxed-simd"))]
        return [Self::Products].into_iter();
        #[cfg(target_feature = "relaxed-simd")]
        [Some(Self::Pairs), Words::is_signed().then_some(Self::Words)]
            .into_iter()
            .flatten()
    }
}

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
        Sums::Products => by_tokens::<Products, B>(blocks, offset, x, out),
    }
}

#[inline(always)]
fn by_tokens<D: Dots, B: Tile>(
    blocks: &[B],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    match x {
        [a] => one::<D, B>(blocks, offset, a, out),
        [a, b] => some::<D, B, 2>(blocks, offset, [a, b], out),
        [a, b, c] => some::<D, B, 3>(blocks, offset, [a, b, c], out),
        [a, b, c, d] => some::<D, B, 4>(blocks, offset, [a, b, c, d], out),
        _ => {}
    }
}

/// One token. What integers stand for is added a block later: processors look ahead less far than the way from a
/// block's first load to its sum.
#[inline(always)]
fn one<D: Dots, B: Tile>(blocks: &[B], offset: f32, x: &Row<'_>, out: &mut [[f32; GROUP]; TILE]) {
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
        let mut dots = first.dots::<D, 1>([first_x], four, kept);
        for (block, x) in blocks_left.iter().zip(x_left) {
            let next = block.dots::<D, 1>([x], four, kept);
            last.0.add(dots, [last.1], four, offset, kept, &mut sums);
            (dots, last) = (next, (block, x));
        }
        last.0.add(dots, [last.1], four, offset, kept, &mut sums);
        for rest in x.rests {
            let (block, x) = (&blocks[rest.at], [&rest.block]);
            let dots = block.dots::<D, 1>(x, four, kept);
            block.add(dots, x, four, offset, kept, &mut sums);
        }
        store::<1, B>(&sums, four, out);
    }
}

/// T tokens: four rows after the other, so that sums stay in registers.
#[inline(always)]
fn some<D: Dots, B: Tile, const T: usize>(
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
            let dots = block.dots::<D, T>(x, four, kept);
            block.add(dots, x, four, offset, kept, &mut sums);
            // SAFETY: at most the end of it.
            at = at.map(|at| unsafe { at.add(1) });
        }
        for (sum, x) in sums.iter_mut().zip(x) {
            for rest in x.rests {
                let (block, x) = (&blocks[rest.at], [&rest.block]);
                let dots = block.dots::<D, 1>(x, four, kept);
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
#[derive(Clone, Copy)]
pub struct Kept {
    low_nibbles: v128,
    halves: v128,
}

impl Kept {
    #[inline(always)]
    fn new() -> Self {
        Self {
            low_nibbles: black_box(LOW_NIBBLES),
            halves: black_box(u32x4_splat(0x8fff_e000)),
        }
    }
}

/// Sums of products of bytes, of four rows, by what an engine has the fewest instructions for.
pub trait Dots: Copy {
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

    /// A signed weight, taken apart if need be.
    type Signed: Copy;

    /// Of weights from -127 to 127.
    fn take_apart(weights: v128) -> Self::Signed;

    /// `before` and eight products a row.
    fn add_signed(before: v128, weights: [Self::Signed; 2], x: [v128; 2]) -> v128;
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
impl Dots for Words {
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

    type Signed = v128;

    #[inline(always)]
    fn take_apart(weights: v128) -> v128 {
        weights
    }

    #[inline(always)]
    fn add_signed(before: v128, weights: [v128; 2], x: [v128; 2]) -> v128 {
        Self::add_bytes(before, weights, x)
    }
}

/// As 16 bits, two a row: one instruction for two products (x86's `pmaddubsw`). Each holds sixteen of a row's products,
/// at most 16 · 15 · 127.
#[cfg(target_feature = "relaxed-simd")]
#[derive(Clone, Copy)]
pub(crate) struct Pairs(v128);

#[cfg(target_feature = "relaxed-simd")]
impl Dots for Pairs {
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

    /// Magnitude; -1 where it is negative, else 0.
    type Signed = [v128; 2];

    #[inline(always)]
    fn take_apart(weights: v128) -> [v128; 2] {
        [i8x16_abs(weights), i8x16_lt(weights, i8x16_splat(0))]
    }

    #[inline(always)]
    fn add_signed(before: v128, weights: [[v128; 2]; 2], x: [v128; 2]) -> v128 {
        // |w| · (x with w's sign).
        let [a, b] = [0, 1].map(|i| {
            let [magnitudes, signs] = weights[i];
            let x = i8x16_sub(v128_xor(x[i], signs), signs);
            // At most 2 · 127 · 127: fits 16 bits.
            i32x4_extadd_pairwise_i16x8(i16x8_relaxed_dot_i8x16_i7x16(x, magnitudes))
        });
        i32x4_add(i32x4_add(before, a), b)
    }
}

/// As 16 bits, four a row, in two vectors of two rows each.
#[cfg(not(target_feature = "relaxed-simd"))]
#[derive(Clone, Copy)]
pub(crate) struct Products([v128; 2]);

#[cfg(not(target_feature = "relaxed-simd"))]
impl Dots for Products {
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

    type Signed = v128;

    #[inline(always)]
    fn take_apart(weights: v128) -> v128 {
        weights
    }

    #[inline(always)]
    fn add_signed(before: v128, weights: [v128; 2], x: [v128; 2]) -> v128 {
        Self::add_bytes(before, weights, x)
    }
}

/// A run of each of eight rows, as kernels take it.
pub trait Tile {
    /// x
    const LIFT: f32;

    /// Sums of products of four rows, as integers.
    type Dots: Copy;

    /// Quants times x's quants, of four rows and T tokens.
    fn dots<D: Dots, const T: usize>(
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

impl<S: Scale, const H: usize, const M: usize> Tile for Nibbles<S, H, M> {
    const LIFT: f32 = if size_of::<S>() == 2 {
        f32::from_bits((127 + 32) << 23)
    } else {
        f32::from_bits((127 - 80) << 23)
    };

    type Dots = [v128; H];

    #[inline(always)]
    fn dots<D: Dots, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        kept: Kept,
    ) -> [[v128; H]; T] {
        let mut dots = [[D::ZERO; H]; T];
        for (g, quants) in self.q.iter().enumerate() {
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
        dots.map(|dots| dots.map(D::sums))
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
        Floats::new(kept, &self.scales, offset, four).add(dots, x, sums);
    }
}

impl<S: Scale, const H: usize, const M: usize> Tile for Bytes<u8, S, H, M> {
    const LIFT: f32 = if size_of::<S>() == 2 {
        f32::from_bits((127 + 32) << 23)
    } else {
        f32::from_bits((127 - 80) << 23)
    };

    type Dots = [v128; H];

    #[inline(always)]
    fn dots<D: Dots, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        _: Kept,
    ) -> [[v128; H]; T] {
        let mut dots = [[i32x4_splat(0); H]; T];
        for (pair, quants) in self.q.as_chunks::<2>().0.iter().enumerate() {
            let quants = quants.each_ref().map(|quants| four_rows(quants, four));
            for (dots, x) in dots.iter_mut().zip(x) {
                let x = [0, 1].map(|i| splat(&x.quants, 2 * pair + i));
                let dots = &mut dots[pair / 2 * (H - 1)];
                *dots = D::add_bytes(*dots, quants, x);
            }
        }
        dots
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
        Floats::new(kept, &self.scales, offset, four).add(dots, x, sums);
    }
}

impl<S: Scale, const H: usize, const M: usize> Tile for Bytes<i8, S, H, M> {
    const LIFT: f32 = if size_of::<S>() == 2 {
        f32::from_bits((127 + 32) << 23)
    } else {
        f32::from_bits((127 - 80) << 23)
    };

    type Dots = [v128; H];

    #[inline(always)]
    fn dots<D: Dots, const T: usize>(
        &self,
        x: [&Block; T],
        four: usize,
        _: Kept,
    ) -> [[v128; H]; T] {
        let mut dots = [[i32x4_splat(0); H]; T];
        for (pair, quants) in self.q.as_chunks::<2>().0.iter().enumerate() {
            let quants = quants
                .each_ref()
                .map(|quants| D::take_apart(four_rows(bytemuck::cast_ref(quants), four)));
            for (dots, x) in dots.iter_mut().zip(x) {
                let x = [0, 1].map(|i| splat(&x.quants, 2 * pair + i));
                let dots = &mut dots[pair / 2 * (H - 1)];
                *dots = D::add_signed(*dots, quants, x);
            }
        }
        dots
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
        Floats::new(kept, &self.scales, offset, four).add(dots, x, sums);
    }
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
        kept: Kept,
        of: &Scales<S, H, M>,
        offset: f32,
        four: usize,
    ) -> Self {
        let d = of.d.each_ref().map(|d| floats(kept, d, four));
        let m = std::array::from_fn(|i| match of.m.get(i) {
            Some(m) => floats(kept, m, four),
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

/// The scales of four rows as floats.
#[inline(always)]
fn floats<S: Scale>(kept: Kept, of: &[S; GROUP], four: usize) -> v128 {
    let four = &of.as_chunks::<LANES>().0[four];
    // SAFETY: as many bytes are read as there are, 8 or 16, and any alignment is allowed.
    unsafe {
        if size_of::<S>() == 2 {
            v128_and(
                i32x4_shl(i32x4_load_extend_i16x4(four.as_ptr().cast()), 13),
                kept.halves,
            )
        } else {
            v128_load(four.as_ptr().cast())
        }
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
        // SAFETY: 4 floats are written, and any alignment is allowed.
        unsafe {
            v128_store(
                out.as_mut_ptr().cast(),
                f32x4_mul(*sums, f32x4_splat(B::LIFT)),
            )
        };
    }
}
