//! Kernels for WebAssembly's SIMD128, and for the relaxed instructions where the module is built with them. A
//! vector's four lanes are four rows; [`Dots`] is all that differs.

use std::arch::wasm32::*;

use crate::activation::Row;
use crate::weights::bytes::Bytes;
use crate::weights::nibbles::Nibbles;
use crate::weights::scale::Scale;
use crate::weights::signed::Signed;
use crate::weights::{GROUP, TILE, by_tokens};

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

    /// Goes on from sums that there are: [`Self::sums_with`] them is the whole.
    #[inline(always)]
    fn from(sums: v128) -> Self {
        Self(sums)
    }

    /// The whole sums.
    #[inline(always)]
    fn sums_with(self, _: v128) -> v128 {
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

    /// Goes on from sums that there are, which 16 bits can't hold: [`Self::sums_with`] them is the whole.
    #[inline(always)]
    fn from(_: v128) -> Self {
        Self::ZERO
    }

    /// The whole sums.
    #[inline(always)]
    fn sums_with(self, before: v128) -> v128 {
        i32x4_add(before, self.sums())
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
pub(crate) fn nibbles<S: Scale, const H: usize, const M: usize>(
    blocks: &[Nibbles<S, H, M>],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    by_tokens!(nibbles_tile, blocks, offset, x, out);
}

#[inline(always)]
fn nibbles_tile<const T: usize, S: Scale, const H: usize, const M: usize>(
    blocks: &[Nibbles<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    // One token leaves registers for all eight rows, which then share what is loaded of it.
    if T == 1 {
        nibbles_rows::<2, T, S, H, M>(0, blocks, offset, x, out);
    } else {
        nibbles_rows::<1, T, S, H, M>(0, blocks, offset, x, out);
        nibbles_rows::<1, T, S, H, M>(1, blocks, offset, x, out);
    }
}

/// R times four rows, from half `half` of the eight.
#[inline(always)]
fn nibbles_rows<const R: usize, const T: usize, S: Scale, const H: usize, const M: usize>(
    half: usize,
    blocks: &[Nibbles<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let low = u8x16_splat(15);
    let mut sums = [[f32x4_splat(0.0); T]; R];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[[Dots::ZERO; 2]; T]; R];
        for (g, quants) in block.q.iter().enumerate() {
            let quants: [[v128; 2]; R] = std::array::from_fn(|r| {
                let quants = bytes_of(quants, half + r);
                // A shift of bytes is several instructions on x86, one of words and a mask are two.
                [v128_and(quants, low), v128_and(u16x8_shr(quants, 4), low)]
            });
            for t in 0..T {
                let x = &x[t].quants[b];
                let (first, second) = (splat(x, 4 * g), splat(x, 4 * g + 16));
                for (dots, quants) in dots.iter_mut().zip(quants) {
                    // A half's sum is at most 16 · 15 · 127, a quarter of it in each lane of 16 bits.
                    dots[t][0].add(quants[0], first);
                    dots[t][1].add(quants[1], second);
                }
            }
        }
        for (r, (dots, sums)) in dots.iter().zip(&mut sums).enumerate() {
            let scales = Scales::new(&block.d, &block.m, offset, half + r);
            for t in 0..T {
                let dots = dots[t].map(Dots::sums);
                sums[t] = scales.add(dots, &x[t].scales[b], &x[t].sums[b], sums[t]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        store(sums, half + r, out);
    }
}

/// See [`crate::weights::Weights::dot`].
pub(crate) fn bytes<S: Scale, const H: usize, const M: usize>(
    blocks: &[Bytes<S, H, M>],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    by_tokens!(bytes_tile, blocks, offset, x, out);
}

#[inline(always)]
fn bytes_tile<const T: usize, S: Scale, const H: usize, const M: usize>(
    blocks: &[Bytes<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    for half in 0..GROUP / LANES {
        bytes_rows(half, blocks, offset, x, out);
    }
}

/// Four rows.
#[inline(always)]
fn bytes_rows<const T: usize, S: Scale, const H: usize, const M: usize>(
    half: usize,
    blocks: &[Bytes<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let mut sums = [f32x4_splat(0.0); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[i32x4_splat(0); 2]; T];
        // Two products of 127 · 127 fit 16 bits, three do not.
        for (pair, quants) in block.q.as_chunks::<2>().0.iter().enumerate() {
            let quants = [0, 1].map(|i| bytes_of(&quants[i], half));
            for t in 0..T {
                let mut sum = Dots::from(dots[t][pair / 2]);
                for (i, quants) in quants.into_iter().enumerate() {
                    sum.add(quants, splat(&x[t].quants[b], 8 * pair + 4 * i));
                }
                dots[t][pair / 2] = sum.sums_with(dots[t][pair / 2]);
            }
        }
        let scales = Scales::new(&block.d, &block.m, offset, half);
        for t in 0..T {
            sums[t] = scales.add(dots[t], &x[t].scales[b], &x[t].sums[b], sums[t]);
        }
    }
    store(&sums, half, out);
}

/// See [`crate::weights::Weights::dot`].
pub(crate) fn signed<S: Scale, const H: usize, const M: usize>(
    blocks: &[Signed<S, H, M>],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    by_tokens!(signed_tile, blocks, offset, x, out);
}

#[inline(always)]
fn signed_tile<const T: usize, S: Scale, const H: usize, const M: usize>(
    blocks: &[Signed<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    for half in 0..GROUP / LANES {
        signed_rows(half, blocks, offset, x, out);
    }
}

/// Four rows.
#[inline(always)]
fn signed_rows<const T: usize, S: Scale, const H: usize, const M: usize>(
    half: usize,
    blocks: &[Signed<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let zero = i8x16_splat(0);
    let mut sums = [f32x4_splat(0.0); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[i32x4_splat(0); 2]; T];
        for (pair, quants) in block.q.as_chunks::<2>().0.iter().enumerate() {
            let quants = [0, 1].map(|i| bytes_of(bytemuck::cast_ref(&quants[i]), half));
            let magnitudes = quants.map(|quants| i8x16_abs(quants));
            let negative = quants.map(|quants| i8x16_lt(quants, zero));
            for t in 0..T {
                let mut sum = Dots::from(dots[t][pair / 2]);
                for i in 0..2 {
                    // |w| · (x with w's sign).
                    let x = splat(&x[t].quants[b], 8 * pair + 4 * i);
                    let x = i8x16_sub(v128_xor(x, negative[i]), negative[i]);
                    sum.add(magnitudes[i], x);
                }
                dots[t][pair / 2] = sum.sums_with(dots[t][pair / 2]);
            }
        }
        let scales = Scales::new(&block.d, &block.m, offset, half);
        for t in 0..T {
            sums[t] = scales.add(dots[t], &x[t].scales[b], &x[t].sums[b], sums[t]);
        }
    }
    store(&sums, half, out);
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
    fn add(&self, dots: [v128; 2], x: &[f32; 2], x_sums: &[f32; 3], sum: v128) -> v128 {
        let [first, second] = dots.map(|dots| f32x4_convert_i32x4(dots));
        let first = f32x4_mul(first, float_splat(&x[0]));
        if H == 1 {
            let both = madd(second, float_splat(&x[1]), first);
            let sum = madd(self.d[0], both, sum);
            if self.is_plain {
                return sum;
            }
            return madd(self.m[0], float_splat(&x_sums[2]), sum);
        }
        let second = f32x4_mul(second, float_splat(&x[1]));
        let sum = madd(self.d[0], first, sum);
        let sum = madd(self.d[H - 1], second, sum);
        let sum = madd(self.m[0], float_splat(&x_sums[0]), sum);
        madd(self.m[H - 1], float_splat(&x_sums[1]), sum)
    }
}

/// The bytes of four rows.
#[inline(always)]
fn bytes_of(of: &[u8; LANES * GROUP], half: usize) -> v128 {
    let four = &of[16 * half..16 * half + 16];
    // SAFETY: 16 bytes are read, and any alignment is allowed.
    unsafe { v128_load(four.as_ptr().cast()) }
}

/// The scales of four rows as floats.
#[inline(always)]
fn floats<S: Scale>(of: &[S; GROUP], half: usize) -> v128 {
    let four = &of[LANES * half..LANES * half + LANES];
    // SAFETY: as many bytes are read as there are, 8 or 16, and any alignment is allowed.
    unsafe {
        if size_of::<S>() == 2 {
            // Sign, exponent and fraction to their places; the exponent is moved by a product (2^(127 - 15)), which
            // is right for subnormal numbers too.
            let bits = i32x4_load_extend_i16x4(four.as_ptr().cast());
            let bits = v128_and(i32x4_shl(bits, 13), u32x4_splat(0x8fff_e000));
            f32x4_mul(bits, f32x4_splat(f32::from_bits((127 + 127 - 15) << 23)))
        } else {
            v128_load(four.as_ptr().cast())
        }
    }
}

/// A float in every lane, in one instruction.
#[inline(always)]
fn float_splat(of: &f32) -> v128 {
    // SAFETY: 4 bytes are read, and any alignment is allowed.
    unsafe { v128_load32_splat(std::ptr::from_ref(of).cast()) }
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
