//! Where the formats that store four rows together have the bits of a run of 32 weights of a row: four bytes of each row,
//! then the next four, so that weight i is in byte 4·row + i % 4 of 16.

/// 4 bits of weight `i`, of 64 bytes: 8 weights apart share a byte; the halves of a run take turns.
pub(super) const fn nibble(run: &[u8], row: usize, i: usize) -> u8 {
    run[4 * row + i % 4 + 16 * (i / 16) + 32 * (i % 8 / 4)] >> (i % 16 / 8 * 4) & 15
}

/// 2 bits of weight `i`, of 32 bytes: 4 weights apart share a byte, a half of a run each 16.
pub(super) const fn pair(run: &[u8], row: usize, i: usize) -> u8 {
    run[4 * row + i % 4 + 16 * (i / 16)] >> (i % 16 / 4 * 2) & 3
}

/// Bit `bit` of the byte of weight `i`, of 16 bytes.
pub(super) const fn bit(run: &[u8], row: usize, i: usize, bit: usize) -> u8 {
    run[4 * row + i % 4] >> bit & 1
}

/// 4 bits of number `n` of a block of all rows, of 32 bytes: the first 32 are low, the others high.
pub(super) const fn low4(bytes: &[u8], n: usize) -> u8 {
    bytes[n % 32] >> (n / 32 * 4) & 15
}

/// 2 bits of number `n`, of 16 bytes.
pub(super) const fn high2(bytes: &[u8], n: usize) -> u8 {
    bytes[n % 16] >> (n / 16 * 2) & 3
}

/// Row `row`'s two bytes of those of all rows, to the front of `out`.
pub(super) fn two(bytes: &[u8], row: usize, out: &mut [u8]) {
    out[..2].copy_from_slice(&bytes[2 * row..2 * row + 2]);
}

/// Every weight of a block of 8 runs: run, weight.
pub(super) fn weights() -> impl Iterator<Item = (usize, usize)> {
    (0..8).flat_map(|run| (0..32).map(move |i| (run, i)))
}
