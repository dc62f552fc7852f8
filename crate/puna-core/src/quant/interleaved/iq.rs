//! Of uneven levels and codebooks, as llama.cpp has them.

use super::Interleaving;
use super::bits::{high2, low4, nibble, two, weights};
use crate::quant::{Format, iq2_s, iq2_xs, iq2_xxs, iq3_s, iq3_xxs, iq4_nl, iq4_xs};

/// ```text
/// | 4 · d | 64 bytes: nibbles |
/// ```
pub(super) static IQ4_NL_R4: Format = Format {
    name: "iq4_nl_r4",
    ggml_type: 220,
    interleaving: Some(Interleaving {
        plain: &iq4_nl::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for i in 0..32 {
                out[2 + i % 16] |= nibble(&from[8..], row, i) << (i / 16 * 4);
            }
        },
    }),
    ..iq4_nl::FORMAT
};

/// ```text
/// | 8 · d | 16 bytes: scales >> 4 | 32 bytes: scales & 15, of a run those of all rows |
/// | 128 bytes a run: 32 for each 8 weights, 4 of each row, 4 weights apart in a byte |
/// ```
pub(super) static IQ4_XS_R8: Format = Format {
    name: "iq4_xs_r8",
    ggml_type: 223,
    interleaving: Some(Interleaving {
        plain: &iq4_xs::FORMAT,
        rows: 8,
        take: |from, row, out| {
            two(from, row, out);
            for run in 0..8 {
                let which = 8 * run + row;
                out[2 + run / 4] |= high2(&from[16..], which) << (run % 4 * 2);
                out[4 + run / 2] |= low4(&from[32..], which) << (run % 2 * 4);
            }
            for (run, i) in weights() {
                let byte = from[64 + 128 * run + 32 * (i / 8) + 4 * row + i % 4];
                let q = byte >> (i % 8 / 4 * 4) & 15;
                out[8 + 16 * run + i % 16] |= q << (i / 16 * 4);
            }
        },
    }),
    ..iq4_xs::FORMAT
};

/// Signs and the scale of a run, out of four bytes: the lowest bits are the scale; the others, added without carry to
/// themselves one bit lower, are the 7 bits of each 8 signs.
fn signs_and_scale(from: &[u8]) -> [u8; 4] {
    let mut word = 0;
    for (n, byte) in from[..4].iter().enumerate() {
        let signs = u32::from(byte & 0xfe ^ byte >> 1) & 127;
        word |= signs << (7 * n) | u32::from(byte & 1) << (28 + n);
    }
    word.to_le_bytes()
}

/// ```text
/// | 4 · d | 16 bytes a run: signs and scale of each row | 16 bytes a run: points of each row |
/// ```
pub(super) static IQ2_XXS_R4: Format = Format {
    name: "iq2_xxs_r4",
    ggml_type: 216,
    interleaving: Some(Interleaving {
        plain: &iq2_xxs::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for run in 0..8 {
                let at = 8 + 16 * run + 4 * row;
                out[2 + 8 * run..][..4].copy_from_slice(&from[at + 128..][..4]);
                out[6 + 8 * run..][..4].copy_from_slice(&signs_and_scale(&from[at..]));
            }
        },
    }),
    ..iq2_xxs::FORMAT
};

/// ```text
/// | 4 · d | 32 bytes a run: 8 of each row, 2 for a point and its signs | 4 bytes a run: scales of each row |
/// ```
pub(super) static IQ2_XS_R4: Format = Format {
    name: "iq2_xs_r4",
    ggml_type: 217,
    interleaving: Some(Interleaving {
        plain: &iq2_xs::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for n in 0..32 {
                let at = 8 + n / 4 * 32 + 8 * row + n % 4 * 2;
                let signs = from[at + 1] >> 1;
                out[2 + 2 * n] = from[at];
                out[3 + 2 * n] = from[at + 1] & 1 | (signs ^ signs << 1) << 1;
            }
            for run in 0..8 {
                out[66 + run] = from[264 + 4 * run + row];
            }
        },
    }),
    ..iq2_xs::FORMAT
};

/// ```text
/// | 4 · d | 16 bytes a run: points of each row | 4 bytes a run: their high bits | 16 bytes a run: signs |
/// | 4 bytes a run: scales |
/// ```
pub(super) static IQ2_S_R4: Format = Format {
    name: "iq2_s_r4",
    ggml_type: 222,
    interleaving: Some(Interleaving {
        plain: &iq2_s::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for run in 0..8 {
                let at = 16 * run + 4 * row;
                out[2 + 4 * run..][..4].copy_from_slice(&from[8 + at..][..4]);
                out[34 + 4 * run..][..4].copy_from_slice(&from[168 + at..][..4]);
                out[66 + run] = from[136 + 4 * run + row];
                out[74 + run] = from[296 + 4 * run + row];
            }
        },
    }),
    ..iq2_s::FORMAT
};

/// ```text
/// | 4 · d | 16 bytes a run: signs and scale of each row | 32 bytes a run: points of each row |
/// ```
pub(super) static IQ3_XXS_R4: Format = Format {
    name: "iq3_xxs_r4",
    ggml_type: 218,
    interleaving: Some(Interleaving {
        plain: &iq3_xxs::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for run in 0..8 {
                let points = &from[136 + 32 * run + 8 * row..];
                out[2 + 8 * run..][..8].copy_from_slice(&points[..8]);
                let signs = signs_and_scale(&from[8 + 16 * run + 4 * row..]);
                out[66 + 4 * run..][..4].copy_from_slice(&signs);
            }
        },
    }),
    ..iq3_xxs::FORMAT
};

/// ```text
/// | 4 · d | 32 bytes a run: of points n and n + 4 those of all rows, n after n | 4 bytes a run: ninth bits of each row |
/// | 16 bytes a run: 4 of each row, bit p of byte i is the sign of weight i of point p | 16 bytes: scales of all rows |
/// ```
pub(super) static IQ3_S_R4: Format = Format {
    name: "iq3_s_r4",
    ggml_type: 221,
    interleaving: Some(Interleaving {
        plain: &iq3_s::FORMAT,
        rows: 4,
        take: |from, row, out| {
            two(from, row, out);
            for run in 0..8 {
                for point in 0..8 {
                    out[2 + 8 * run + point] =
                        from[8 + 32 * run + row + point % 4 * 8 + point / 4 * 4];
                }
                out[66 + run] = from[264 + 4 * run + row];
                let which = 4 * run + row;
                let scale = from[424 + which % 16] >> (which / 16 * 4) & 15;
                out[106 + run / 2] |= scale << (run % 2 * 4);
            }
            for (run, i) in weights() {
                let sign = from[296 + 16 * run + 4 * row + i % 4] >> (i / 4) & 1;
                out[74 + 4 * run + i / 8] |= sign << (i % 8);
            }
        },
    }),
    ..iq3_s::FORMAT
};
