//! Of blocks of 32 weights.

use super::Interleaving;
use super::bits::{bit, nibble, two};
use crate::quant::{Format, bf16, q4_0, q5_0, q6_0, q8_0};

/// ```text
/// | 8 · d | 32 bytes for each 4 bytes of quants: 4 of each row |
/// ```
pub(super) static Q4_0_R8: Format = Format {
    name: "q4_0_r8",
    ggml_type: 202,
    interleaving: Some(Interleaving {
        plain: &q4_0::FORMAT,
        rows: 8,
        take: |from, row, out| {
            two(from, row, out);
            for i in 0..16 {
                out[2 + i] = from[16 + i / 4 * 32 + 4 * row + i % 4];
            }
        },
    }),
    ..q4_0::FORMAT
};

/// ```text
/// | 4 · d | 16 bytes: bits of q >> 4 | 64 bytes: nibbles |
/// ```
pub(super) static Q5_0_R4: Format = Format {
    name: "q5_0_r4",
    ggml_type: 206,
    interleaving: Some(Interleaving {
        plain: &q5_0::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for i in 0..32 {
                let fifth = bit(&from[8..], row, i, i / 16 + i % 8 / 4 * 2 + i % 16 / 8 * 4);
                out[2 + i / 8] |= fifth << (i % 8);
                out[6 + i % 16] |= nibble(&from[24..], row, i) << (i / 16 * 4);
            }
        },
    }),
    ..q5_0::FORMAT
};

/// ```text
/// | 4 · d | 32 bytes: 2 bits of q >> 4, a half each 16 | 64 bytes: nibbles |
/// ```
pub(super) static Q6_0_R4: Format = Format {
    name: "q6_0_r4",
    ggml_type: 233,
    interleaving: Some(Interleaving {
        plain: &q6_0::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for i in 0..32 {
                let high = from[8 + 4 * row + i % 4 + i / 16 * 16];
                let high = high >> (i % 8 / 4 * 2 + i % 16 / 8 * 4) & 3;
                out[2 + i % 8] |= high << (i / 8 % 2 * 4 + i / 16 * 2);
                out[10 + i % 16] |= nibble(&from[40..], row, i) << (i / 16 * 4);
            }
        },
    }),
    ..q6_0::FORMAT
};

/// ```text
/// | 8 · d | 32 bytes for each 4 weights: 4 of each row |
/// ```
pub(super) static Q8_0_R8: Format = Format {
    name: "q8_0_r8",
    ggml_type: 208,
    interleaving: Some(Interleaving {
        plain: &q8_0::FORMAT,
        rows: 8,
        take: |from, row, out| {
            two(from, row, out);
            for i in 0..32 {
                out[2 + i] = from[16 + i / 4 * 32 + 4 * row + i % 4];
            }
        },
    }),
    ..q8_0::FORMAT
};

/// ```text
/// | 64 bytes for each 2 weights: 4 of each row |
/// ```
pub(super) static BF16_R16: Format = Format {
    name: "bf16_r16",
    ggml_type: 230,
    interleaving: Some(Interleaving {
        plain: &bf16::FORMAT,
        rows: 16,
        take: |from, row, out| {
            for (pair, out) in out.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                out.copy_from_slice(&from[64 * pair + 4 * row..][..4]);
            }
        },
    }),
    ..bf16::FORMAT
};
