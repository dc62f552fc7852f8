//! Which instructions there are, and the kernels written for each.

#[cfg(target_arch = "x86_64")]
pub mod avx2;
pub(crate) mod lanes;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub mod wasm;

#[cfg(target_arch = "x86_64")]
pub use avx2::{Dots, Tile};
#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub use portable::{Anything as Dots, Anything as Tile};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::{Dots, Tile};

use crate::activation::Row;
use crate::weights::interleaved::Block;
use crate::weights::{GROUP, TILE};

/// What activations' scales are held times, for the kernels of this target ([`wasm`] says why): a power of two.
pub(crate) const LIFT: f32 = if cfg!(all(target_arch = "wasm32", target_feature = "simd128")) {
    f32::from_bits((127 + 80) << 23)
} else {
    1.0
};

/// A set of instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// Plain loops.
    Portable,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Token),
    /// SIMD128, with the relaxed instructions where this module was built with them.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Wasm(wasm::Sums),
}

impl Simd {
    /// Every set that this machine has, the best last.
    #[must_use]
    pub fn all() -> Vec<Self> {
        std::iter::once(Self::Portable)
            .chain(Self::detected())
            .collect()
    }

    /// What the machine is asked about while running.
    fn detected() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        return avx2::Token::get().map(Self::Avx2).into_iter();
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return wasm::Sums::all().map(Self::Wasm);
        #[cfg(not(any(
            target_arch = "x86_64",
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        std::iter::empty()
    }

    /// See [`crate::weights::Weights::dot`]; `blocks` (K / 32,).
    pub(crate) fn dot<B: Block>(
        self,
        blocks: &[B],
        offset: f32,
        x: &[Row<'_>],
        out: &mut [[f32; GROUP]; TILE],
    ) {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(token) => avx2::dot(token, blocks, offset, x, out),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Wasm(sums) => wasm::dot(sums, blocks, offset, x, out),
            Self::Portable => portable::dot(blocks, offset, x, out),
        }
    }

    /// Runs plain loops compiled for this set: `f` is to be inlined.
    #[inline(always)]
    pub(crate) fn vectorize<R>(self, f: impl FnOnce() -> R) -> R {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(token) => avx2::vectorize(token, f),
            _ => f(),
        }
    }

    /// The best.
    #[must_use]
    pub fn best() -> Self {
        Self::all().pop().unwrap_or(Self::Portable)
    }

    /// Name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Wasm(_) if cfg!(target_feature = "relaxed-simd") => "relaxed",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Wasm(_) => "simd128",
        }
    }
}
