//! Which instructions there are, and the kernels written for each.

#[cfg(target_arch = "x86_64")]
pub mod avx2;

/// A set of instructions that this machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// Plain loops.
    Portable,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2(avx2::Token),
}

impl Simd {
    /// Every set that this machine has, the best last.
    #[must_use]
    pub fn all() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let more = avx2::Token::get().map(Self::Avx2);
        #[cfg(not(target_arch = "x86_64"))]
        let more = None;
        [Self::Portable].into_iter().chain(more).collect()
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
        }
    }
}
