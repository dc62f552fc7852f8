//! Kernels for x86-64 with AVX2, FMA and F16C: a vector's eight lanes are eight rows.

use std::arch::x86_64::*;

use crate::activation::{Block, Row};
use crate::weights::bytes::{Bytes, SignedBytes};
use crate::weights::nibbles::Nibbles;
use crate::weights::run::Run;
use crate::weights::scale::{Scale, Scales};
use crate::weights::{GROUP, TILE};

/// Proof that the machine has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(());

impl Token {
    /// Asks the processor.
    #[must_use]
    pub fn get() -> Option<Self> {
        let has = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("f16c");
        has.then_some(Self(()))
    }
}

/// Runs plain loops compiled for AVX2 and FMA.
#[inline(always)]
pub(crate) fn vectorize<R>(_: Token, f: impl FnOnce() -> R) -> R {
    #[target_feature(enable = "avx2,fma")]
    fn inner<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
    // SAFETY: the token says that the processor has the instructions.
    unsafe { inner(f) }
}

/// See [`crate::weights::Weights::dot`].
pub(super) fn dot<B: Tile>(
    _: Token,
    blocks: &[B],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    // SAFETY: the token says that the processor has the instructions.
    unsafe {
        match *x {
            [a] => tile(blocks, offset, [a], out),
            [a, b] => tile(blocks, offset, [a, b], out),
            [a, b, c] => tile(blocks, offset, [a, b, c], out),
            [a, b, c, d] => tile(blocks, offset, [a, b, c, d], out),
            _ => {}
        }
    }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn tile<B: Tile, const T: usize>(
    blocks: &[B],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let mut sums = [_mm256_setzero_ps(); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        // SAFETY: this function has the instructions.
        unsafe { block.add(x.map(|x| &x.blocks[b]), offset, &mut sums) };
    }
    for (x, sum) in x.iter().zip(&mut sums) {
        for rest in x.rests {
            let sum = std::array::from_mut(sum);
            // SAFETY: as above.
            unsafe { blocks[rest.at].add([&rest.block], offset, sum) };
        }
    }
    for (sums, out) in sums.iter().zip(out) {
        // SAFETY: 8 floats are written, and any alignment is allowed.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), *sums) };
    }
}

/// A run of each of eight rows, as kernels take it.
pub trait Tile {
    /// Adds W·x to the sum of each of T tokens.
    ///
    /// # Safety
    /// The processor has AVX2, FMA and F16C, and the caller is compiled for them.
    unsafe fn add<const T: usize>(&self, x: [&Block; T], offset: f32, sums: &mut [__m256; T]);
}

impl<Q: Dots, S: Scale, const H: usize, const M: usize> Tile for Run<Q, S, H, M> {
    #[inline(always)]
    unsafe fn add<const T: usize>(&self, x: [&Block; T], offset: f32, sums: &mut [__m256; T]) {
        // SAFETY: the caller's promise.
        unsafe {
            let dots = self.quants.dots::<H, T>(x);
            let scales = Floats::new(&self.scales, offset);
            for ((sum, dots), x) in sums.iter_mut().zip(dots).zip(x) {
                *sum = scales.add(dots, x, *sum);
            }
        }
    }
}

/// Quants of eight rows, as kernels take them.
pub trait Dots {
    /// Times x's quants, of T tokens: sums of all or of each half.
    ///
    /// # Safety
    /// See [`Tile::add`].
    unsafe fn dots<const H: usize, const T: usize>(&self, x: [&Block; T]) -> [[__m256i; H]; T];
}

impl Dots for Nibbles {
    #[inline(always)]
    unsafe fn dots<const H: usize, const T: usize>(&self, x: [&Block; T]) -> [[__m256i; H]; T] {
        // SAFETY: the caller's promise.
        unsafe {
            let low = _mm256_set1_epi8(15);
            let mut dots = [[_mm256_setzero_si256(); H]; T];
            for (g, quants) in self.0.iter().enumerate() {
                let quants = load(quants);
                let first = _mm256_and_si256(quants, low);
                let second = _mm256_and_si256(_mm256_srli_epi16::<4>(quants), low);
                for (dots, x) in dots.iter_mut().zip(x) {
                    // Sixteen products of a row are at most 16 · 15 · 127: fit 16 bits.
                    let a = _mm256_maddubs_epi16(first, splat(&x.quants, 4 * g));
                    let b = _mm256_maddubs_epi16(second, splat(&x.quants, 4 * g + 16));
                    dots[0] = _mm256_add_epi16(dots[0], a);
                    dots[H - 1] = _mm256_add_epi16(dots[H - 1], b);
                }
            }
            let ones = _mm256_set1_epi16(1);
            dots.map(|dots| dots.map(|dots| _mm256_madd_epi16(dots, ones)))
        }
    }
}

impl Dots for Bytes {
    #[inline(always)]
    unsafe fn dots<const H: usize, const T: usize>(&self, x: [&Block; T]) -> [[__m256i; H]; T] {
        // SAFETY: the caller's promise.
        unsafe { byte_dots(&self.0, x, |quants, x| _mm256_maddubs_epi16(quants, x)) }
    }
}

impl Dots for SignedBytes {
    #[inline(always)]
    unsafe fn dots<const H: usize, const T: usize>(&self, x: [&Block; T]) -> [[__m256i; H]; T] {
        // SAFETY: the caller's promise.
        unsafe {
            byte_dots(&self.0, x, |quants, x| {
                // |w| · (x with w's sign).
                _mm256_maddubs_epi16(_mm256_abs_epi8(quants), _mm256_sign_epi8(x, quants))
            })
        }
    }
}

/// [`Dots::dots`] of a byte each, by what multiplies them: `pairs(quants, x)` are sums of two products.
///
/// # Safety
/// See [`Tile::add`].
#[inline(always)]
unsafe fn byte_dots<const H: usize, const T: usize>(
    quants: &[[u8; 4 * GROUP]; 8],
    x: [&Block; T],
    pairs: impl Fn(__m256i, __m256i) -> __m256i,
) -> [[__m256i; H]; T] {
    // SAFETY: the caller's promise.
    unsafe {
        let ones = _mm256_set1_epi16(1);
        let mut dots = [[_mm256_setzero_si256(); H]; T];
        for (g, quants) in quants.iter().enumerate() {
            let quants = load(quants);
            for (dots, x) in dots.iter_mut().zip(x) {
                // At most 2 · 127 · 127: fit 16 bits.
                let products = pairs(quants, splat(&x.quants, 4 * g));
                // Of the first half or the second.
                let dots = &mut dots[g / 4 * (H - 1)];
                *dots = _mm256_add_epi32(*dots, _mm256_madd_epi16(products, ones));
            }
        }
        dots
    }
}

/// The scales of a run of eight rows.
struct Floats<const H: usize> {
    d: [__m256; H],
    m: [__m256; H],
    /// There is no m to add.
    is_plain: bool,
}

impl<const H: usize> Floats<H> {
    #[target_feature(enable = "avx2,fma,f16c")]
    fn new<S: Scale, const M: usize>(of: &Scales<S, H, M>, offset: f32) -> Self {
        let d = of.d.each_ref().map(|d| floats(d));
        let m = std::array::from_fn(|i| match of.m.get(i) {
            Some(m) => floats(m),
            None => _mm256_mul_ps(d[i], _mm256_set1_ps(offset)),
        });
        Self {
            d,
            m,
            is_plain: M == 0 && offset == 0.0,
        }
    }

    /// `sum + Σ d·x's scale·dots + m·x's sum`, half by half.
    #[target_feature(enable = "avx2,fma,f16c")]
    fn add(&self, dots: [__m256i; H], x: &Block, mut sum: __m256) -> __m256 {
        let scale = _mm256_set1_ps(x.scale);
        for (d, dots) in self.d.iter().zip(dots) {
            let dots = _mm256_mul_ps(_mm256_cvtepi32_ps(dots), scale);
            sum = _mm256_fmadd_ps(*d, dots, sum);
        }
        if self.is_plain {
            return sum;
        }
        // Of all, or of each half.
        let x_sums = x.sums.iter().skip(if H == 1 { 2 } else { 0 });
        for (m, x_sum) in self.m.iter().zip(x_sums) {
            sum = _mm256_fmadd_ps(*m, _mm256_set1_ps(*x_sum), sum);
        }
        sum
    }
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes are read, and any alignment is allowed.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2,f16c")]
fn floats<S: Scale>(values: &[S; GROUP]) -> __m256 {
    // SAFETY: 16 or 32 bytes are read, as many as there are, and any alignment is allowed.
    unsafe {
        if size_of::<S>() == 2 {
            _mm256_cvtph_ps(_mm_loadu_si128(values.as_ptr().cast()))
        } else {
            _mm256_loadu_ps(values.as_ptr().cast())
        }
    }
}

/// Four neighbouring bytes in every lane.
#[target_feature(enable = "avx2")]
fn splat(x: &[i8; 32], at: usize) -> __m256i {
    _mm256_set1_epi32(i32::from_ne_bytes(
        [x[at], x[at + 1], x[at + 2], x[at + 3]].map(i8::cast_unsigned),
    ))
}
