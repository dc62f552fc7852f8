//! Random numbers that depend on nothing but a seed and a position: Philox4x32-10.
//!
//! J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
//! SC 2011. No state, 32-bit integers alone: a shader computes the same numbers.

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;

/// The block of four numbers at `counter` in the sequence of `key`.
#[must_use]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let [c0, c1, c2, c3] = counter;
        let (high0, low0) = multiply(MULTIPLIERS[0], c0);
        let (high1, low1) = multiply(MULTIPLIERS[1], c2);
        counter = [high1 ^ c1 ^ key[0], low1, high0 ^ c3 ^ key[1], low0];
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
    }
    counter
}

/// The number for step `step` of the answer with this seed, evenly distributed over `0..2^32`.
#[must_use]
pub fn random(seed: u64, step: u32) -> u32 {
    let [low, high] = halves(seed);
    philox4x32([step, 0, 0, 0], [low, high])[0]
}

/// High and low half of the product.
fn multiply(a: u32, b: u32) -> (u32, u32) {
    let [low, high] = halves(u64::from(a) * u64::from(b));
    (high, low)
}

/// Low and high half.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves are what is asked for"
)]
const fn halves(value: u64) -> [u32; 2] {
    [value as u32, (value >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known answers that the authors publish with their library (Random123, `kat_vectors`).
    #[test]
    fn numbers_are_the_authors() {
        let cases = [
            (
                [0; 4],
                [0; 2],
                [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8],
            ),
            (
                [u32::MAX; 4],
                [u32::MAX; 2],
                [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd],
            ),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32(counter, key), expected, "{counter:x?} {key:x?}");
        }
    }

    #[test]
    fn both_halves_of_the_seed_and_the_step_matter() {
        let first = random(1, 0);
        assert_ne!(random(1 << 32, 0), first, "high half");
        assert_ne!(random(2, 0), first, "low half");
        assert_ne!(random(1, 1), first, "step");
    }
}
