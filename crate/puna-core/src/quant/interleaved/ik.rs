//! Of uneven levels, as `ik_llama.cpp` has them.

use super::Interleaving;
use super::bits::{bit, high2, low4, nibble, pair, two, weights};
use crate::quant::{Format, iq2_k, iq3_k, iq4_k, iq4_ks, iq5_k, iq5_ks};

/// Bits of shifts of a row, out of 8 bytes: a bit a run, of the first halves of all rows, then of the second ones.
fn shifts(from: &[u8], row: usize, out: &mut [u8]) {
    for n in 0..16 {
        out[n / 8] |= (from[row + n % 2 * 4] >> (n / 2) & 1) << (n % 8);
    }
}

/// Of 5 bits the fifth, which is bit .. of a weight's byte.
const fn fifth(i: usize) -> usize {
    i % 8 / 4 * 4 + i / 16 * 2 + i % 16 / 8
}

/// ```text
/// | 4 · d | 8 bytes: shifts | 32 bytes: scales, of each 16 weights those of all rows | 32 bytes a run: pairs |
/// ```
pub(super) static IQ2_K_R4: Format = Format {
    name: "iq2_k_r4",
    ggml_type: 337,
    interleaving: Some(Interleaving {
        plain: &iq2_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            shifts(&from[8..], row, &mut out[2..]);
            for n in 0..16 {
                out[4 + n / 2] |= low4(&from[16..], 4 * n + row) << (n % 2 * 4);
            }
            for (run, i) in weights() {
                let q = pair(&from[48 + 32 * run..], row, i);
                out[12 + run / 4 * 32 + i] |= q << (run % 4 * 2);
            }
        },
    }),
    ..iq2_k::FORMAT
};

/// ```text
/// | 4 · d | 8 bytes: shifts | 8 bytes: signs of scales, of each 16 weights those of all rows | 32 bytes: scales, likewise |
/// | 32 bytes a run: pairs | 16 bytes a run: bits of q >> 2 |
/// ```
pub(super) static IQ3_K_R4: Format = Format {
    name: "iq3_k_r4",
    ggml_type: 338,
    interleaving: Some(Interleaving {
        plain: &iq3_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            shifts(&from[8..], row, &mut out[2..]);
            for n in 0..16 {
                let which = 4 * n + row;
                let sign = from[16 + which % 8] >> (which / 8) & 1;
                out[4 + n / 8] |= sign << (n % 8);
                out[6 + n / 2] |= low4(&from[24..], which) << (n % 2 * 4);
            }
            for (run, i) in weights() {
                let q = pair(&from[56 + 32 * run..], row, i);
                out[14 + run / 4 * 32 + i] |= q << (run % 4 * 2);
                out[78 + i] |= bit(&from[312 + 16 * run..], row, i, i / 4) << run;
            }
        },
    }),
    ..iq3_k::FORMAT
};

/// Shifts and scales of a row of `IQ4_K` and `IQ5_K`, out of 56 bytes, to 14.
fn head(from: &[u8], row: usize, out: &mut [u8]) {
    shifts(from, row, out);
    for n in 0..16 {
        let which = 4 * n + row;
        out[2 + n / 4] |= high2(&from[8..], which) << (n % 4 * 2);
        out[6 + n / 2] |= low4(&from[24..], which) << (n % 2 * 4);
    }
}

/// ```text
/// | 4 · d | 8 bytes: shifts | 16 bytes: scales >> 4 | 32 bytes: scales & 15, of each 16 weights those of all rows |
/// | 64 bytes a run: nibbles |
/// ```
pub(super) static IQ4_K_R4: Format = Format {
    name: "iq4_k_r4",
    ggml_type: 339,
    interleaving: Some(Interleaving {
        plain: &iq4_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            head(&from[8..], row, &mut out[2..]);
            for (run, i) in weights() {
                let q = nibble(&from[64 + 64 * run..], row, i);
                out[16 + 16 * run + i % 16] |= q << (i / 16 * 4);
            }
        },
    }),
    ..iq4_k::FORMAT
};

/// ```text
/// | 64 bytes as in `IQ4_K_R4` | 64 bytes a run: nibbles | 16 bytes a run: bits of q >> 4 |
/// ```
pub(super) static IQ5_K_R4: Format = Format {
    name: "iq5_k_r4",
    ggml_type: 340,
    interleaving: Some(Interleaving {
        plain: &iq5_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            head(&from[8..], row, &mut out[2..]);
            for (run, i) in weights() {
                let q = nibble(&from[64 + 64 * run..], row, i);
                out[16 + run / 2 * 32 + i] |= q << (run % 2 * 4);
                out[144 + i] |= bit(&from[576 + 16 * run..], row, i, fifth(i)) << run;
            }
        },
    }),
    ..iq5_k::FORMAT
};

/// ```text
/// | 4 · d f32, in front of the rows | 4 bytes a run: scales of each row | 64 bytes a run: nibbles |
/// ```
pub(super) static IQ4_KS_R4: Format = Format {
    name: "iq4_ks_r4",
    ggml_type: 344,
    interleaving: Some(Interleaving {
        plain: &iq4_ks::FORMAT,
        rows: 4,
        take: |from, row, out| {
            for run in 0..8 {
                out[run] = from[4 * run + row];
            }
            for (run, i) in weights() {
                let q = nibble(&from[32 + 64 * run..], row, i);
                out[8 + 16 * run + i % 16] |= q << (i / 16 * 4);
            }
        },
    }),
    ..iq4_ks::FORMAT
};

/// ```text
/// | 4 · d f32, in front of the rows | 4 bytes a run: scales of each row | 64 bytes a run: nibbles |
/// | 16 bytes a run: bits of q >> 4 |
/// ```
pub(super) static IQ5_KS_R4: Format = Format {
    name: "iq5_ks_r4",
    ggml_type: 352,
    interleaving: Some(Interleaving {
        plain: &iq5_ks::FORMAT,
        rows: 4,
        take: |from, row, out| {
            for run in 0..8 {
                out[run] = from[4 * run + row];
            }
            for (run, i) in weights() {
                let q = nibble(&from[32 + 64 * run..], row, i);
                out[8 + run / 2 * 32 + i] |= q << (run % 2 * 4);
                out[136 + i] |= bit(&from[544 + 16 * run..], row, i, fifth(i)) << run;
            }
        },
    }),
    ..iq5_ks::FORMAT
};
