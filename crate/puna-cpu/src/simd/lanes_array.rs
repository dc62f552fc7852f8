//! Four floats in an array.

use super::{LANES, ROUND};

/// See [`super`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes([f32; LANES]);

impl Lanes {
    #[inline(always)]
    fn map2(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
    }

    #[inline(always)]
    pub(crate) const fn splat(x: f32) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    pub(crate) const fn from(x: [f32; LANES]) -> Self {
        Self(x)
    }

    #[inline(always)]
    pub(crate) const fn array(self) -> [f32; LANES] {
        self.0
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        self.map2(other, |a, b| a + b)
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Self) -> Self {
        self.map2(other, |a, b| a - b)
    }

    #[inline(always)]
    pub(super) fn times(self, other: Self) -> Self {
        self.map2(other, |a, b| a * b)
    }

    /// `self / other`.
    #[inline(always)]
    pub(crate) fn over(self, other: Self) -> Self {
        self.map2(other, |a, b| a / b)
    }

    /// `self · a + b`, rounded once or twice.
    #[inline(always)]
    pub(crate) fn mul_add(self, a: Self, b: Self) -> Self {
        self.times(a).plus(b)
    }

    /// The larger; self where one is no number.
    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        self.map2(other, |a, b| if a < b { b } else { a })
    }

    /// The smaller; self where one is no number.
    #[inline(always)]
    pub(crate) fn min(self, other: Self) -> Self {
        self.map2(other, |a, b| if b < a { b } else { a })
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    /// `2^self`, of whole numbers from -126 to 127.
    #[inline(always)]
    pub(crate) fn power_of_two(self) -> Self {
        let one = 1.0f32.to_bits();
        Self(
            self.0
                .map(|n| f32::from_bits(((n + ROUND).to_bits() << 23).wrapping_add(one))),
        )
    }

    /// The sum of its lanes.
    #[inline(always)]
    pub(crate) fn sum(self) -> f32 {
        (self.0[0] + self.0[2]) + (self.0[1] + self.0[3])
    }

    /// The sum of the lanes of each.
    #[inline(always)]
    pub(crate) fn sums(of: [Self; LANES]) -> Self {
        Self(of.map(Self::sum))
    }

    /// The largest of its lanes.
    #[inline(always)]
    pub(crate) fn highest(self) -> f32 {
        self.0.into_iter().fold(f32::MIN, f32::max)
    }

    /// The even lanes, and the odd ones.
    #[inline(always)]
    pub(crate) const fn unzip([Self(a), Self(b)]: [Self; 2]) -> [Self; 2] {
        [
            Self([a[0], a[2], b[0], b[2]]),
            Self([a[1], a[3], b[1], b[3]]),
        ]
    }

    /// Each rounded to the nearest whole number, ties to even; from -127 to 127.
    #[inline(always)]
    pub(crate) fn round_to_bytes(x: [Self; 4]) -> [i8; 16] {
        std::array::from_fn(|i| {
            // The low bits of the sum are the number's.
            let [low, ..] = (x[i / LANES].0[i % LANES] + ROUND).to_bits().to_le_bytes();
            low.cast_signed()
        })
    }
}

/// Reads f16; [`super::DROP`] says as what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HalfBits;

impl HalfBits {
    #[inline(always)]
    pub(crate) const fn new() -> Self {
        Self
    }

    /// Bits of f16, finite: sign, exponent and fraction moved to their places, subnormal numbers too.
    #[inline(always)]
    pub(crate) fn lanes(self, bits: &[u16; LANES]) -> Lanes {
        Lanes(bits.map(|bits| {
            let bits = i32::from(bits.cast_signed()) << 13;
            f32::from_bits(bits.cast_unsigned() & 0x8fff_e000)
        }))
    }
}
