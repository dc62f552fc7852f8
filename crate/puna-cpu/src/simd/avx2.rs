//! Kernels for x86-64 with AVX2 and FMA: a vector's eight lanes are eight rows.

use std::arch::x86_64::*;

use crate::activation::Row;
use crate::weights::{GROUP, TILE, by_tokens, q4_1, q8_0};

/// Proof that the machine has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(());

impl Token {
    /// Asks the processor.
    #[must_use]
    pub fn get() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
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
pub fn q4_1(_: Token, blocks: &[q4_1::Block], x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
    // SAFETY: the token says that the processor has the instructions.
    unsafe { by_tokens!(q4_1_tile, blocks, x, out) }
}

/// See [`crate::weights::Weights::dot`].
pub fn q8_0(_: Token, blocks: &[q8_0::Block], x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
    // SAFETY: as above.
    unsafe { by_tokens!(q8_0_tile, blocks, x, out) }
}

#[target_feature(enable = "avx2,fma")]
fn q4_1_tile<const T: usize>(
    blocks: &[q4_1::Block],
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let low = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_ps(); T];
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[_mm256_setzero_si256(); 2]; T];
        for (g, quants) in block.q.iter().enumerate() {
            let quants = load(quants);
            let first = _mm256_and_si256(quants, low);
            let second = _mm256_and_si256(_mm256_srli_epi16::<4>(quants), low);
            for t in 0..T {
                // Four times at most 2 · 15 · 127: fits 16 bits.
                let x = &x[t].quants[b];
                let a = _mm256_maddubs_epi16(first, splat(x, 4 * g));
                let c = _mm256_maddubs_epi16(second, splat(x, 4 * g + 16));
                dots[t][0] = _mm256_add_epi16(dots[t][0], a);
                dots[t][1] = _mm256_add_epi16(dots[t][1], c);
            }
        }
        let (d, m) = (floats(&block.d), floats(&block.m));
        for t in 0..T {
            let dots = dots[t].map(|dots| _mm256_madd_epi16(dots, ones));
            sums[t] = _mm256_fmadd_ps(m, _mm256_set1_ps(x[t].sums[b]), sums[t]);
            sums[t] = _mm256_fmadd_ps(d, scaled(dots, x[t].scales[b]), sums[t]);
        }
    }
    store(&sums, out);
}

#[target_feature(enable = "avx2,fma")]
fn q8_0_tile<const T: usize>(
    blocks: &[q8_0::Block],
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_ps(); T];
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[_mm256_setzero_si256(); 2]; T];
        for (g, quants) in block.q.iter().enumerate() {
            let quants = load(bytemuck::cast_ref(quants));
            let magnitude = _mm256_abs_epi8(quants);
            for t in 0..T {
                // |w| · (x with w's sign); two products are at most 2 · 127 · 127: fit 16 bits.
                let x = _mm256_sign_epi8(splat(&x[t].quants[b], 4 * g), quants);
                let products = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, x), ones);
                dots[t][g / 4] = _mm256_add_epi32(dots[t][g / 4], products);
            }
        }
        let d = floats(&block.d);
        for t in 0..T {
            sums[t] = _mm256_fmadd_ps(d, scaled(dots[t], x[t].scales[b]), sums[t]);
        }
    }
    store(&sums, out);
}

/// The two halves' integers, each times its scale.
#[target_feature(enable = "avx2,fma")]
fn scaled(dots: [__m256i; 2], scales: [f32; 2]) -> __m256 {
    let [first, second] = dots.map(|dots| _mm256_cvtepi32_ps(dots));
    let second = _mm256_mul_ps(second, _mm256_set1_ps(scales[1]));
    _mm256_fmadd_ps(first, _mm256_set1_ps(scales[0]), second)
}

#[target_feature(enable = "avx2")]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: 32 bytes are read, and any alignment is allowed.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx2")]
fn floats(values: &[f32; GROUP]) -> __m256 {
    // SAFETY: 8 floats are read, and any alignment is allowed.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

/// Four neighbouring bytes in every lane.
#[target_feature(enable = "avx2")]
fn splat(x: &[i8; 32], at: usize) -> __m256i {
    _mm256_set1_epi32(i32::from_ne_bytes(
        [x[at], x[at + 1], x[at + 2], x[at + 3]].map(i8::cast_unsigned),
    ))
}

#[target_feature(enable = "avx2")]
fn store<const T: usize>(sums: &[__m256; T], out: &mut [[f32; GROUP]; TILE]) {
    for (sums, out) in sums.iter().zip(out) {
        // SAFETY: 8 floats are written, and any alignment is allowed.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), *sums) };
    }
}
