//! The values that quants stand for where they are not evenly spaced (llama.cpp and `ik_llama.cpp`, `ggml-common.h`).

/// Of 4 bits: `IQ4_NL`, `IQ4_XS`, `IQ4_K` and theirs.
pub(super) const NL4: [i8; 16] = [
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
];

/// Of 4 bits: twice what `E2M1` floats are (OCP Microscaling Formats 1.0).
pub(super) const E2M1: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

/// The level of a nibble.
pub(super) fn nibble(levels: &[i8; 16], q: u8) -> f32 {
    f32::from(levels[usize::from(q & 15)])
}

/// Of 2 bits: `IQ2_K` and theirs.
pub(super) const NL2: [i8; 4] = [-31, -13, 1, 17];

/// Of 3 bits: `IQ3_K` and theirs.
pub(super) const NL3: [i8; 8] = [-63, -40, -23, -10, 1, 13, 28, 47];

/// Of 5 bits: `IQ5_K` and theirs.
pub(super) const NL5: [i8; 32] = [
    -126, -114, -103, -92, -83, -74, -65, -57, -50, -43, -36, -30, -24, -18, -12, -6, -1, 5, 11,
    17, 23, 29, 36, 43, 51, 59, 68, 77, 87, 97, 109, 121,
];

/// Of 6 bits: `IQ6_K`.
pub(super) const NL6: [i8; 64] = [
    -127, -121, -115, -109, -104, -98, -93, -88, -84, -79, -74, -70, -66, -62, -58, -54, -51, -47,
    -44, -40, -37, -34, -31, -28, -25, -22, -19, -16, -13, -11, -8, -5, -2, 0, 3, 6, 9, 12, 14, 17,
    20, 23, 27, 30, 33, 36, 40, 44, 47, 51, 55, 59, 63, 68, 72, 77, 82, 87, 92, 98, 103, 109, 115,
    121,
];

/// Of 5 bits, two weights at a time, the first in the low byte: `IQ2_KL`.
pub(super) static PAIRS: [u16; 32] = [
    0xe9c1, 0x0dc1, 0xc1d8, 0xf6d8, 0x0dd8, 0x2fd8, 0xd8e9, 0xe9e9, 0x01e9, 0x0de9, 0x1ce9, 0xc1f6,
    0x01f6, 0x0df6, 0x2ff6, 0xe901, 0xf601, 0x0101, 0x0d01, 0x1c01, 0xd80d, 0xe90d, 0xf60d, 0x010d,
    0x0d0d, 0xc11c, 0xe91c, 0x011c, 0x1c1c, 0x2f1c, 0xe92f, 0x0d2f,
];

/// As a shader's table: two levels a number.
pub(super) const fn table<const N: usize, const HALF: usize>(levels: &[i8; N]) -> [u16; HALF] {
    let mut table = [0; HALF];
    let mut i = 0;
    while i < HALF {
        table[i] = u16::from_le_bytes([
            levels[2 * i].cast_unsigned(),
            levels[2 * i + 1].cast_unsigned(),
        ]);
        i += 1;
    }
    table
}

/// What is added to the levels of a run or a half where bit `which` of `extra` is set.
pub(super) fn shift(extra: u16, which: usize, by: f32) -> f32 {
    if extra >> which & 1 == 1 { by } else { 0.0 }
}
