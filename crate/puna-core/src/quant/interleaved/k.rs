//! The K-quants.

use super::Interleaving;
use super::bits::{bit, high2, low4, nibble, pair, two, weights};
use crate::quant::{Format, q2_k, q3_k, q4_k, q5_k, q6_k};

/// ```text
/// | 4 · d | 4 · dmin | 64 bytes: 4 of each 16 weights, scale and min of each row | 32 bytes a run: pairs |
/// ```
pub(super) static Q2_K_R4: Format = Format {
    name: "q2_k_r4",
    ggml_type: 210,
    interleaving: Some(Interleaving {
        plain: &q2_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            for n in 0..16 {
                out[n] = from[16 + 4 * n + row];
            }
            for (run, i) in weights() {
                let q = pair(&from[80 + 32 * run..], row, i);
                out[16 + run / 4 * 32 + i] |= q << (run % 4 * 2);
            }
            two(from, row, &mut out[80..]);
            two(from, 4 + row, &mut out[82..]);
        },
    }),
    ..q2_k::FORMAT
};

/// ```text
/// | 4 · d | 16 bytes: scales >> 4 | 32 bytes: scales & 15, of each 16 weights those of all rows |
/// | 16 bytes a run: bits of q >> 2 | 32 bytes a run: pairs |
/// ```
pub(super) static Q3_K_R4: Format = Format {
    name: "q3_k_r4",
    ggml_type: 211,
    interleaving: Some(Interleaving {
        plain: &q3_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            for (run, i) in weights() {
                out[i] |= bit(&from[56 + 16 * run..], row, i, i / 4) << run;
                let q = pair(&from[184 + 32 * run..], row, i);
                out[32 + run / 4 * 32 + i] |= q << (run % 4 * 2);
            }
            for n in 0..16 {
                out[96 + n % 8] |= low4(&from[24..], 4 * n + row) << (n / 8 * 4);
                out[104 + n % 4] |= high2(&from[8..], 4 * n + row) << (n / 4 * 2);
            }
            two(from, row, &mut out[108..]);
        },
    }),
    ..q3_k::FORMAT
};

/// Scales and mins of a row of `Q4_K` and `Q5_K`, out of 16 bytes of their high bits and 32 of low ones, to 12 bytes.
fn scales_and_mins(from: &[u8], row: usize, out: &mut [u8]) {
    for run in 0..8 {
        let which = 4 * run + row;
        let (low, high) = (from[16 + which], from[which % 16] >> (which / 16 * 4));
        let scale = low & 15 | (high & 3) << 4;
        let min = low >> 4 | (high >> 2 & 3) << 4;
        if run < 4 {
            out[run] |= scale;
            out[run + 4] |= min;
        } else {
            out[run + 4] |= scale & 15 | (min & 15) << 4;
            out[run - 4] |= scale >> 4 << 6;
            out[run] |= min >> 4 << 6;
        }
    }
}

/// ```text
/// | 4 · d | 4 · dmin | 16 bytes: scales and mins >> 4 | 32 bytes: & 15, of a run those of all rows |
/// | 64 bytes a run: nibbles |
/// ```
pub(super) static Q4_K_R4: Format = Format {
    name: "q4_k_r4",
    ggml_type: 212,
    interleaving: Some(Interleaving {
        plain: &q4_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            two(from, 4 + row, &mut out[2..]);
            scales_and_mins(&from[16..], row, &mut out[4..16]);
            for (run, i) in weights() {
                let q = nibble(&from[64 + 64 * run..], row, i);
                out[16 + run / 2 * 32 + i] |= q << (run % 2 * 4);
            }
        },
    }),
    ..q4_k::FORMAT
};

/// ```text
/// | 64 bytes as in `Q4_K_R4` | 16 bytes a run: bits of q >> 4 | 64 bytes a run: nibbles |
/// ```
pub(super) static Q5_K_R4: Format = Format {
    name: "q5_k_r4",
    ggml_type: 213,
    interleaving: Some(Interleaving {
        plain: &q5_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            two(from, 4 + row, &mut out[2..]);
            scales_and_mins(&from[16..], row, &mut out[4..16]);
            for (run, i) in weights() {
                let which = i / 16 * 4 + i % 8 / 4 * 2 + i % 16 / 8;
                out[16 + i] |= bit(&from[64 + 16 * run..], row, i, which) << run;
                let q = nibble(&from[192 + 64 * run..], row, i);
                out[48 + run / 2 * 32 + i] |= q << (run % 2 * 4);
            }
        },
    }),
    ..q5_k::FORMAT
};

/// ```text
/// | 4 · d | 64 bytes: of each 16 weights the scales of all rows |
/// | 32 bytes a run: 2 bits of q >> 4, a half each 16 | 64 bytes a run: nibbles |
/// ```
pub(super) static Q6_K_R4: Format = Format {
    name: "q6_k_r4",
    ggml_type: 214,
    interleaving: Some(Interleaving {
        plain: &q6_k::FORMAT,
        rows: 4,
        take: |from, row, out| {
            for (run, i) in weights() {
                let (half, quarter) = (run / 4, run % 4);
                let low = nibble(&from[328 + 64 * run..], row, i);
                out[half * 64 + quarter % 2 * 32 + i] |= low << (quarter / 2 * 4);
                let high = from[72 + 32 * run + 4 * row + i % 4 + i / 16 * 16];
                let high = high >> (i % 16 / 8 * 2 + i % 8 / 4 * 4) & 3;
                out[128 + half * 32 + i] |= high << (quarter * 2);
            }
            for n in 0..16 {
                out[192 + n] = from[8 + 4 * n + row];
            }
            two(from, row, &mut out[208..]);
        },
    }),
    ..q6_k::FORMAT
};
