//! Four floats side by side: a vector where the target always has them, an array that compilers turn into one elsewhere.

use std::ops::{Add, AddAssign, Mul, Sub};

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[path = "lanes_wasm.rs"]
mod platform;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[path = "lanes_array.rs"]
mod platform;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) use platform::madd;
pub(crate) use platform::{HalfBits, Lanes};

/// Floats in it.
pub(crate) const LANES: usize = 4;

/// Adding 1.5·2²³ rounds to the nearest whole number, ties to even, which then stands in the low bits.
pub(crate) const ROUND: f32 = 12_582_912.0;

/// What f16 are times as [`HalfBits`] reads them: a float's exponent is 127 for 1, an f16's is 15.
pub(crate) const DROP: f32 = f32::from_bits((127 - 112) << 23);

impl Lanes {
    /// Rounds to the nearest whole number, ties to even; magnitudes below 2²².
    #[inline(always)]
    pub(crate) fn round(self) -> Self {
        self + Self::splat(ROUND) - Self::splat(ROUND)
    }

    /// `e^x`, within 2 units in the last place; at most 10^-37 below -87, and never infinite.
    #[inline(always)]
    pub(crate) fn exp(self) -> Self {
        // x = n·ln 2 + r with |r| ≤ ln 2 / 2; ln 2 in two parts, the first exact in few bits (Cody and Waite 1980).
        const LN2_HIGH: f32 = f32::from_bits(0x3f31_8000);
        const LN2_LOW: f32 = -2.121_944_4e-4;
        let x = self.max(Self::splat(-87.3)).min(Self::splat(88.3));
        let n = (x * Self::splat(std::f32::consts::LOG2_E)).round();
        let r = x - n * Self::splat(LN2_HIGH) - n * Self::splat(LN2_LOW);
        // The Taylor series to the sixth power: the next term is below 2^-27.
        let mut p = Self::splat(1.0 / 720.0);
        for c in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            p = p.mul_add(r, Self::splat(c));
        }
        p * n.power_of_two()
    }
}

impl AddAssign for Lanes {
    #[inline(always)]
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

/// Operators by functions of `platform`.
macro_rules! operator {
    ($($trait:ident $name:ident $function:ident),*) => {
        $(impl $trait for Lanes {
            type Output = Self;

            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                self.$function(other)
            }
        })*
    };
}
operator!(Add add plus, Sub sub minus, Mul mul times);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_accurate() {
        for i in -8700..=8800 {
            let x = i as f32 / 100.0;
            let expected = f64::from(x).exp();
            for got in Lanes::splat(x).exp().array() {
                let off = (f64::from(got) - expected).abs() / expected;
                assert!(off < 3e-7, "e^{x}: {off} off");
            }
        }
        let ends = Lanes::from([-1e30, 1e30, 0.0, f32::NEG_INFINITY]);
        let [low, high, one, lowest] = ends.exp().array();
        assert!(
            low < 1e-37 && lowest < 1e-37 && high.is_finite(),
            "the ends"
        );
        assert_eq!(one, 1.0, "e^0");
    }

    #[test]
    fn finite_halves_are_read_exactly() {
        let half_bits = HalfBits::new();
        for bits in (0..=u16::MAX).filter(|bits| half::f16::from_bits(*bits).is_finite()) {
            let expected = half::f16::from_bits(bits).to_f32();
            for got in half_bits.lanes(&[bits; LANES]).array() {
                let got = got / DROP;
                assert_eq!(got.to_bits(), expected.to_bits(), "{bits:#06x}");
            }
        }
    }

    #[test]
    fn lanes_keep_their_places() {
        let of = |first: f32| Lanes::from([first, first + 1.0, first + 2.0, first + 3.0]);
        assert_eq!(of(1.0).sum(), 10.0, "sum");
        assert_eq!(of(-2.0).highest(), 1.0, "highest");
        let sums = Lanes::sums([of(0.0), of(10.0), of(20.0), of(30.0)]);
        assert_eq!(sums.array(), [6.0, 46.0, 86.0, 126.0], "sums");
        let [even, odd] = Lanes::unzip([of(0.0), of(4.0)]);
        assert_eq!(even.array(), [0.0, 2.0, 4.0, 6.0], "even");
        assert_eq!(odd.array(), [1.0, 3.0, 5.0, 7.0], "odd");
        let bytes = Lanes::round_to_bytes([of(-127.0), of(-0.5), of(1.5), of(124.0)]);
        let expected = [
            -127, -126, -125, -124, 0, 0, 2, 2, 2, 2, 4, 4, 124, 125, 126, 127,
        ];
        assert_eq!(bytes, expected, "bytes, ties to even");
    }
}
