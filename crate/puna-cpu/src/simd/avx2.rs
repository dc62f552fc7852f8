//! Kernels for x86-64 with AVX2, FMA and F16C: a vector's eight lanes are eight rows.

use std::arch::x86_64::*;

use crate::activation::Row;
use crate::weights::bytes::Bytes;
use crate::weights::nibbles::Nibbles;
use crate::weights::scale::Scale;
use crate::weights::signed::Signed;
use crate::weights::{GROUP, TILE, by_tokens};

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
pub fn nibbles<S: Scale, const H: usize, const M: usize>(
    _: Token,
    blocks: &[Nibbles<S, H, M>],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    // SAFETY: the token says that the processor has the instructions.
    unsafe { by_tokens!(nibbles_tile, blocks, offset, x, out) }
}

/// See [`crate::weights::Weights::dot`].
pub fn bytes<S: Scale, const H: usize, const M: usize>(
    _: Token,
    blocks: &[Bytes<S, H, M>],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    // SAFETY: as above.
    unsafe { by_tokens!(bytes_tile, blocks, offset, x, out) }
}

/// See [`crate::weights::Weights::dot`].
pub fn signed<S: Scale, const H: usize, const M: usize>(
    _: Token,
    blocks: &[Signed<S, H, M>],
    offset: f32,
    x: &[Row<'_>],
    out: &mut [[f32; GROUP]; TILE],
) {
    // SAFETY: as above.
    unsafe { by_tokens!(signed_tile, blocks, offset, x, out) }
}

#[target_feature(enable = "avx2,fma,f16c")]
fn nibbles_tile<const T: usize, S: Scale, const H: usize, const M: usize>(
    blocks: &[Nibbles<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let low = _mm256_set1_epi8(15);
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_ps(); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[_mm256_setzero_si256(); 2]; T];
        for (g, quants) in block.q.iter().enumerate() {
            let quants = load(quants);
            let first = _mm256_and_si256(quants, low);
            let second = _mm256_and_si256(_mm256_srli_epi16::<4>(quants), low);
            for t in 0..T {
                // Four times at most 2 · 15 · 127: fits 16 bits.
                let x = &x[t].blocks[b].quants;
                let a = _mm256_maddubs_epi16(first, splat(x, 4 * g));
                let c = _mm256_maddubs_epi16(second, splat(x, 4 * g + 16));
                dots[t][0] = _mm256_add_epi16(dots[t][0], a);
                dots[t][1] = _mm256_add_epi16(dots[t][1], c);
            }
        }
        let scales = Scales::new(&block.d, &block.m, offset);
        for t in 0..T {
            let dots = dots[t].map(|dots| _mm256_madd_epi16(dots, ones));
            sums[t] = scales.add(dots, x[t].blocks[b].scales, x[t].blocks[b].sums, sums[t]);
        }
    }
    store(&sums, out);
}

#[target_feature(enable = "avx2,fma,f16c")]
fn bytes_tile<const T: usize, S: Scale, const H: usize, const M: usize>(
    blocks: &[Bytes<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_ps(); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[_mm256_setzero_si256(); 2]; T];
        for (g, quants) in block.q.iter().enumerate() {
            let quants = load(quants);
            for t in 0..T {
                // Two products are at most 2 · 127 · 127: fit 16 bits.
                let products = _mm256_maddubs_epi16(quants, splat(&x[t].blocks[b].quants, 4 * g));
                let products = _mm256_madd_epi16(products, ones);
                dots[t][g / 4] = _mm256_add_epi32(dots[t][g / 4], products);
            }
        }
        let scales = Scales::new(&block.d, &block.m, offset);
        for t in 0..T {
            sums[t] = scales.add(dots[t], x[t].blocks[b].scales, x[t].blocks[b].sums, sums[t]);
        }
    }
    store(&sums, out);
}

#[target_feature(enable = "avx2,fma,f16c")]
fn signed_tile<const T: usize, S: Scale, const H: usize, const M: usize>(
    blocks: &[Signed<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    let ones = _mm256_set1_epi16(1);
    let mut sums = [_mm256_setzero_ps(); T];
    let x = x.map(|x| x.first(blocks.len()));
    for (b, block) in blocks.iter().enumerate() {
        let mut dots = [[_mm256_setzero_si256(); 2]; T];
        for (g, quants) in block.q.iter().enumerate() {
            let quants = load(bytemuck::cast_ref(quants));
            let magnitude = _mm256_abs_epi8(quants);
            for t in 0..T {
                // |w| · (x with w's sign); two products are at most 2 · 127 · 127: fit 16 bits.
                let x = _mm256_sign_epi8(splat(&x[t].blocks[b].quants, 4 * g), quants);
                let products = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitude, x), ones);
                dots[t][g / 4] = _mm256_add_epi32(dots[t][g / 4], products);
            }
        }
        let scales = Scales::new(&block.d, &block.m, offset);
        for t in 0..T {
            sums[t] = scales.add(dots[t], x[t].blocks[b].scales, x[t].blocks[b].sums, sums[t]);
        }
    }
    store(&sums, out);
}

/// The scales of a run of eight rows.
struct Scales<const H: usize> {
    d: [__m256; H],
    m: [__m256; H],
    /// There is no m to add.
    is_plain: bool,
}

impl<const H: usize> Scales<H> {
    #[target_feature(enable = "avx2,fma,f16c")]
    fn new<S: Scale, const M: usize>(
        d: &[[S; GROUP]; H],
        m: &[[S; GROUP]; M],
        offset: f32,
    ) -> Self {
        let mut scales = Self {
            d: [_mm256_setzero_ps(); H],
            m: [_mm256_setzero_ps(); H],
            is_plain: M == 0 && offset == 0.0,
        };
        for (half, (to, from)) in scales.d.iter_mut().zip(d).enumerate() {
            *to = floats(from);
            scales.m[half] = match m.get(half) {
                Some(m) => floats(m),
                None => _mm256_mul_ps(*to, _mm256_set1_ps(offset)),
            };
        }
        scales
    }

    /// `sum + Σ d·x's scale·dots + m·x's sum`, half by half.
    #[target_feature(enable = "avx2,fma,f16c")]
    fn add(&self, dots: [__m256i; 2], x: [f32; 2], x_sums: [f32; 3], sum: __m256) -> __m256 {
        let [first, second] = dots.map(|dots| _mm256_cvtepi32_ps(dots));
        let first = _mm256_mul_ps(first, _mm256_set1_ps(x[0]));
        if H == 1 {
            let both = _mm256_fmadd_ps(second, _mm256_set1_ps(x[1]), first);
            let sum = _mm256_fmadd_ps(self.d[0], both, sum);
            if self.is_plain {
                return sum;
            }
            return _mm256_fmadd_ps(self.m[0], _mm256_set1_ps(x_sums[2]), sum);
        }
        let second = _mm256_mul_ps(second, _mm256_set1_ps(x[1]));
        let sum = _mm256_fmadd_ps(self.d[0], first, sum);
        let sum = _mm256_fmadd_ps(self.d[H - 1], second, sum);
        let sum = _mm256_fmadd_ps(self.m[0], _mm256_set1_ps(x_sums[0]), sum);
        _mm256_fmadd_ps(self.m[H - 1], _mm256_set1_ps(x_sums[1]), sum)
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

#[target_feature(enable = "avx2")]
fn store<const T: usize>(sums: &[__m256; T], out: &mut [[f32; GROUP]; TILE]) {
    for (sums, out) in sums.iter().zip(out) {
        // SAFETY: 8 floats are written, and any alignment is allowed.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr(), *sums) };
    }
}
