//! Points that groups of weights are rounded to, in the codebooks of IQ1 to IQ3.

mod codebook;
mod iq1;
mod iq2;
mod iq3;

pub(super) use iq1::IQ1;
pub(super) use iq2::{IQ2_S, IQ2_XS, IQ2_XXS};
pub(super) use iq3::{IQ3_S, IQ3_XXS};

/// Weight `i` of 8 of a point of IQ2: 2 bits that stand for 8, 25 and 43.
pub(super) fn level2(point: u16, i: usize) -> f32 {
    [8.0, 25.0, 43.0, 43.0][usize::from(point >> (2 * i) & 3)]
}

/// Weight `i` of 4 of a point of IQ3: 3 bits.
pub(super) fn bits3(point: u16, i: usize) -> u16 {
    point >> (3 * i) & 7
}

/// Weight `i` of 8 of a point of IQ1: -1, 0 or 1.
pub(super) fn level1(point: u16, i: usize) -> f32 {
    f32::from(point >> (2 * i) & 3) - 1.0
}

/// 8 signs out of 7 bits: bit i is set where weight i is negative, and an even number are.
pub(super) fn signs(index: u32) -> u32 {
    let index = index & 127;
    index | (index.count_ones() & 1) << 7
}

/// -1 where bit `i` is set.
pub(super) const fn sign(bits: u32, i: usize) -> f32 {
    if bits >> i & 1 == 1 { -1.0 } else { 1.0 }
}
