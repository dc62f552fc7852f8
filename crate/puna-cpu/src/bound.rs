//! What no kernel is faster than: reading bytes and adding them up, with the instructions that kernels have. The bench
//! holds the speed of answers to it.

use std::arch::wasm32::*;

/// Sums kept apart, so that none waits for another.
const APART: usize = 4;

/// The sum of all bytes, modulo 2³².
pub(crate) fn sum(bytes: &[[u8; 16]]) -> u32 {
    let mut sums = [u32x4_splat(0); APART];
    let (fours, rest) = bytes.as_chunks::<APART>();
    for four in fours {
        for (sum, bytes) in sums.iter_mut().zip(four) {
            *sum = i32x4_add(*sum, added(bytes));
        }
    }
    for bytes in rest {
        sums[0] = i32x4_add(sums[0], added(bytes));
    }
    let [a, b, c, d] = sums;
    let sum = i32x4_add(i32x4_add(a, b), i32x4_add(c, d));
    u32x4_extract_lane::<0>(sum)
        .wrapping_add(u32x4_extract_lane::<1>(sum))
        .wrapping_add(u32x4_extract_lane::<2>(sum))
        .wrapping_add(u32x4_extract_lane::<3>(sum))
}

/// The sums of each four bytes.
#[inline(always)]
fn added(bytes: &[u8; 16]) -> v128 {
    // SAFETY: 16 bytes are read, and any alignment is allowed.
    let bytes = unsafe { v128_load(bytes.as_ptr().cast()) };
    u32x4_extadd_pairwise_u16x8(u16x8_extadd_pairwise_u8x16(bytes))
}
