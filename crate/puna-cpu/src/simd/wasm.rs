//! Kernels for WebAssembly's SIMD128, and for the relaxed instructions where the module is built with them. A
//! vector's four lanes are four rows; [`Dots`] is all that differs.

use std::arch::wasm32::*;
use std::hint::black_box;

use super::lanes::{halves, madd};
use crate::activation::{Block, Row};
use crate::weights::bytes::Bytes;
use crate::weights::nibbles::Nibbles;
use crate::weights::scale::Scale;
use crate::weights::signed::Signed;
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

/// One token: all eight rows together, for which what is loaded of it is the same.
#[inline(always)]
fn one<D: Dots, B: Tile>(blocks: &[B], offset: f32, x: &Row<'_>, out: &mut [[f32; GROUP]; TILE]) {
    let low_nibbles = kept(LOW_NIBBLES);
    let mut sums = [[f32x4_splat(0.0)]; GROUP / LANES];
    for (block, x) in blocks.iter().zip(x.blocks) {
        for (half, sums) in sums.iter_mut().enumerate() {
            block.add::<D, 1>([x], half, offset, low_nibbles, sums);
        }
    }
    for (half, sums) in sums.iter().enumerate() {
        store(sums, half, out);
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
    let low_nibbles = kept(LOW_NIBBLES);
    for half in 0..GROUP / LANES {
        let mut at = x.map(|x| x.blocks[..blocks.len()].as_ptr());
        let mut sums = [f32x4_splat(0.0); T];
        for block in blocks {
            // SAFETY: there are as many as blocks.
            let x = at.map(|at| unsafe { &*at });
            block.add::<D, T>(x, half, offset, low_nibbles, &mut sums);
            // SAFETY: at most the end of it.
            at = at.map(|at| unsafe { at.add(1) });
        }
        store(&sums, half, out);
    }
}

/// The low bits of each byte.
const LOW_NIBBLES: v128 = u8x16(
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
);

/// A constant that stays in a register: engines make one anew wherever it is used.
#[inline(always)]
fn kept(constant: v128) -> v128 {
    black_box(constant)
}

/// Sums of products of bytes, of four rows, by what an engine has the fewest instructions for.
pub(crate) trait Dots: Copy {
    const ZERO: Self;

    /// Adds four products a row. Weights are from 0 to 127, and any sixteen products' sum must fit 16 bits.
    fn add(&mut self, weights: v128, x: v128);

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

/// As 16 bits, two a row: one instruction for two products (x86's `pmaddubsw`).
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
pub(crate) trait Tile {
    /// Adds W·x of four rows, which `half` says, to the sum of each of T tokens.
    fn add<D: Dots, const T: usize>(
        &self,
        x: [&Block; T],
        half: usize,
        offset: f32,
        low_nibbles: v128,
        sums: &mut [v128; T],
    );
}

impl<S: Scale, const H: usize, const M: usize> Tile for Nibbles<S, H, M> {
    #[inline(always)]
    fn add<D: Dots, const T: usize>(
        &self,
        x: [&Block; T],
        half: usize,
        offset: f32,
        low_nibbles: v128,
        sums: &mut [v128; T],
    ) {
        let mut dots = [[D::ZERO; 2]; T];
        for (g, quants) in self.q.iter().enumerate() {
            let quants = four_rows(quants, half);
            let first = v128_and(quants, low_nibbles);
            // A shift of bytes is several instructions on x86, one of words and a mask are two.
            let second = v128_and(u16x8_shr(quants, 4), low_nibbles);
            for (dots, x) in dots.iter_mut().zip(x) {
                // A half's sum is at most 16 · 15 · 127: fits 16 bits.
                dots[0].add(first, splat(&x.quants, g));
                dots[1].add(second, splat(&x.quants, g + 4));
            }
        }
        let scales = Scales::new(&self.d, &self.m, offset, half);
        for ((sum, dots), x) in sums.iter_mut().zip(dots).zip(x) {
            *sum = scales.add(dots.map(D::sums), x, *sum);
        }
    }
}

impl<S: Scale, const H: usize, const M: usize> Tile for Bytes<S, H, M> {
    #[inline(always)]
    fn add<D: Dots, const T: usize>(
        &self,
        x: [&Block; T],
        half: usize,
        offset: f32,
        _: v128,
        sums: &mut [v128; T],
    ) {
        let mut dots = [[i32x4_splat(0); 2]; T];
        for (pair, quants) in self.q.as_chunks::<2>().0.iter().enumerate() {
            let quants = quants.each_ref().map(|quants| four_rows(quants, half));
            for (dots, x) in dots.iter_mut().zip(x) {
                let x = [0, 1].map(|i| splat(&x.quants, 2 * pair + i));
                dots[pair / 2] = D::add_bytes(dots[pair / 2], quants, x);
            }
        }
        let scales = Scales::new(&self.d, &self.m, offset, half);
        for ((sum, dots), x) in sums.iter_mut().zip(dots).zip(x) {
            *sum = scales.add(dots, x, *sum);
        }
    }
}

impl<S: Scale, const H: usize, const M: usize> Tile for Signed<S, H, M> {
    #[inline(always)]
    fn add<D: Dots, const T: usize>(
        &self,
        x: [&Block; T],
        half: usize,
        offset: f32,
        _: v128,
        sums: &mut [v128; T],
    ) {
        let mut dots = [[i32x4_splat(0); 2]; T];
        for (pair, quants) in self.q.as_chunks::<2>().0.iter().enumerate() {
            let quants = quants
                .each_ref()
                .map(|quants| D::take_apart(four_rows(bytemuck::cast_ref(quants), half)));
            for (dots, x) in dots.iter_mut().zip(x) {
                let x = [0, 1].map(|i| splat(&x.quants, 2 * pair + i));
                dots[pair / 2] = D::add_signed(dots[pair / 2], quants, x);
            }
        }
        let scales = Scales::new(&self.d, &self.m, offset, half);
        for ((sum, dots), x) in sums.iter_mut().zip(dots).zip(x) {
            *sum = scales.add(dots, x, *sum);
        }
    }
}

/// The scales of a run of four rows.
struct Scales<const H: usize> {
    d: [v128; H],
    m: [v128; H],
    /// There is no m to add.
    is_plain: bool,
}

impl<const H: usize> Scales<H> {
    #[inline(always)]
    fn new<S: Scale, const M: usize>(
        d: &[[S; GROUP]; H],
        m: &[[S; GROUP]; M],
        offset: f32,
        half: usize,
    ) -> Self {
        let d = d.each_ref().map(|d| floats(d, half));
        let m = std::array::from_fn(|i| match m.get(i) {
            Some(m) => floats(m, half),
            None => f32x4_mul(d[i], f32x4_splat(offset)),
        });
        Self {
            d,
            m,
            is_plain: M == 0 && offset == 0.0,
        }
    }

    /// `sum + Σ d·x's scale·dots + m·x's sum`, half by half.
    #[inline(always)]
    fn add(&self, dots: [v128; 2], x: &Block, sum: v128) -> v128 {
        let [first, second] = dots.map(|dots| f32x4_convert_i32x4(dots));
        let first = f32x4_mul(first, float_splat(&x.scales[0]));
        if H == 1 {
            let both = madd(second, float_splat(&x.scales[1]), first);
            let sum = madd(self.d[0], both, sum);
            if self.is_plain {
                return sum;
            }
            return madd(self.m[0], float_splat(&x.sums[2]), sum);
        }
        let second = f32x4_mul(second, float_splat(&x.scales[1]));
        let sum = madd(self.d[0], first, sum);
        let sum = madd(self.d[H - 1], second, sum);
        let sum = madd(self.m[0], float_splat(&x.sums[0]), sum);
        madd(self.m[H - 1], float_splat(&x.sums[1]), sum)
    }
}

/// The bytes of four rows.
#[inline(always)]
fn four_rows(of: &[u8; LANES * GROUP], half: usize) -> v128 {
    load(&of.as_chunks::<16>().0[half])
}

/// The scales of four rows as floats.
#[inline(always)]
fn floats<S: Scale>(of: &[S; GROUP], half: usize) -> v128 {
    let four = &of.as_chunks::<LANES>().0[half];
    // SAFETY: as many bytes are read as there are, 8 or 16, and any alignment is allowed.
    unsafe {
        if size_of::<S>() == 2 {
            halves(four.as_ptr().cast())
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
fn store<const T: usize>(sums: &[v128; T], half: usize, out: &mut [[f32; GROUP]; TILE]) {
    for (sums, out) in sums.iter().zip(out) {
        let four = &mut out.as_chunks_mut::<LANES>().0[half];
        // SAFETY: 4 floats are written, and any alignment is allowed.
        unsafe { v128_store(four.as_mut_ptr().cast(), *sums) };
    }
}
