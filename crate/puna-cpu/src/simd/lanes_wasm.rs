//! Four floats in a vector of SIMD128.

use std::arch::wasm32::*;
use std::hint::black_box;

use super::{LANES, ROUND};

/// See [`super`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes(v128);

impl Lanes {
    #[inline(always)]
    pub(crate) const fn splat(x: f32) -> Self {
        Self(f32x4(x, x, x, x))
    }

    #[inline(always)]
    pub(crate) const fn from(x: [f32; LANES]) -> Self {
        Self(f32x4(x[0], x[1], x[2], x[3]))
    }

    #[inline(always)]
    pub(crate) fn array(self) -> [f32; LANES] {
        [
            f32x4_extract_lane::<0>(self.0),
            f32x4_extract_lane::<1>(self.0),
            f32x4_extract_lane::<2>(self.0),
            f32x4_extract_lane::<3>(self.0),
        ]
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        Self(f32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Self) -> Self {
        Self(f32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub(super) fn times(self, other: Self) -> Self {
        Self(f32x4_mul(self.0, other.0))
    }

    /// `self / other`.
    #[inline(always)]
    pub(crate) fn over(self, other: Self) -> Self {
        Self(f32x4_div(self.0, other.0))
    }

    /// `self · a + b`, rounded once or twice.
    #[inline(always)]
    pub(crate) fn mul_add(self, a: Self, b: Self) -> Self {
        Self(madd(self.0, a.0, b.0))
    }

    /// The larger; self where one is no number.
    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self(f32x4_pmax(self.0, other.0))
    }

    /// The smaller; self where one is no number.
    #[inline(always)]
    pub(crate) fn min(self, other: Self) -> Self {
        Self(f32x4_pmin(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        Self(f32x4_abs(self.0))
    }

    /// `2^self`, of whole numbers from -126 to 127.
    #[inline(always)]
    pub(crate) fn power_of_two(self) -> Self {
        let whole = f32x4_add(self.0, f32x4_splat(ROUND));
        Self(i32x4_add(i32x4_shl(whole, 23), f32x4_splat(1.0)))
    }

    /// The sum of its lanes.
    #[inline(always)]
    pub(crate) fn sum(self) -> f32 {
        let halves = f32x4_add(self.0, i32x4_shuffle::<2, 3, 0, 1>(self.0, self.0));
        f32x4_extract_lane::<0>(halves) + f32x4_extract_lane::<1>(halves)
    }

    /// The sum of the lanes of each.
    #[inline(always)]
    pub(crate) fn sums([a, b, c, d]: [Self; LANES]) -> Self {
        let halves = |a: Self, b: Self| {
            f32x4_add(
                i32x4_shuffle::<0, 4, 1, 5>(a.0, b.0),
                i32x4_shuffle::<2, 6, 3, 7>(a.0, b.0),
            )
        };
        let (ab, cd) = (halves(a, b), halves(c, d));
        Self(f32x4_add(
            i32x4_shuffle::<0, 1, 4, 5>(ab, cd),
            i32x4_shuffle::<2, 3, 6, 7>(ab, cd),
        ))
    }

    /// The largest of its lanes.
    #[inline(always)]
    pub(crate) fn highest(self) -> f32 {
        let halves = f32x4_pmax(self.0, i32x4_shuffle::<2, 3, 0, 1>(self.0, self.0));
        let all = f32x4_pmax(halves, i32x4_shuffle::<1, 0, 3, 2>(halves, halves));
        f32x4_extract_lane::<0>(all)
    }

    /// The even lanes, and the odd ones.
    #[inline(always)]
    pub(crate) fn unzip([a, b]: [Self; 2]) -> [Self; 2] {
        [
            Self(i32x4_shuffle::<0, 2, 4, 6>(a.0, b.0)),
            Self(i32x4_shuffle::<1, 3, 5, 7>(a.0, b.0)),
        ]
    }

    /// Each rounded to the nearest whole number, ties to even; from -127 to 127.
    #[inline(always)]
    pub(crate) fn round_to_bytes(x: [Self; 4]) -> [i8; 16] {
        let round = f32x4_splat(ROUND);
        // The low bits of the sum are the number's.
        let [a, b, c, d] = x.map(|x| i32x4_sub(f32x4_add(x.0, round), round));
        let bytes = i8x16_narrow_i16x8(i16x8_narrow_i32x4(a, b), i16x8_narrow_i32x4(c, d));
        let mut out = [0; 16];
        // SAFETY: 16 bytes are written, and any alignment is allowed.
        unsafe { v128_store(out.as_mut_ptr().cast(), bytes) };
        out
    }
}

/// `a·b + c`.
#[inline(always)]
pub(crate) fn madd(a: v128, b: v128, c: v128) -> v128 {
    #[cfg(target_feature = "relaxed-simd")]
    return f32x4_relaxed_madd(a, b, c);
    #[cfg(not(target_feature = "relaxed-simd"))]
    f32x4_add(f32x4_mul(a, b), c)
}

/// Reads f16; [`super::DROP`] says as what. It holds a constant, for the sake of engines that make one anew wherever it is
/// used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HalfBits(v128);

impl HalfBits {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self(black_box(u32x4_splat(0x8fff_e000)))
    }

    /// Bits of f16, finite: sign, exponent and fraction moved to their places, subnormal numbers too.
    #[inline(always)]
    pub(crate) fn lanes(self, bits: &[u16; LANES]) -> Lanes {
        Lanes(self.vector(bits))
    }

    /// The same as a plain vector.
    #[inline(always)]
    pub(in crate::simd) fn vector(self, bits: &[u16; LANES]) -> v128 {
        // SAFETY: 8 bytes are read, and any alignment is allowed.
        let bits = unsafe { i32x4_load_extend_i16x4(bits.as_ptr().cast()) };
        v128_and(i32x4_shl(bits, 13), self.0)
    }
}
