//! The tensor types that a GGUF may name, and how many bytes they take.
//!
//! One row per type of ggml and of `ik_llama.cpp`. A type is listed when its size is known; that says
//! nothing about whether the engine can compute with it, which is for the registry of formats to say.

/// How one tensor type lays out its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GgmlType {
    /// Number in the file.
    pub id: u32,
    /// Name as its authors write it, `"Q4_0"`.
    pub name: &'static str,
    /// Values in a block; a row holds whole blocks.
    pub block_len: u32,
    /// Bytes of a block.
    pub block_bytes: u32,
    /// Bytes in front of each row, outside of any block.
    pub row_extra_bytes: u32,
    /// Rows that are stored interleaved and can't be told apart by bytes; 1 for plain types.
    pub rows_together: u32,
}

impl GgmlType {
    /// Bytes of a row of `columns` values, or `None` if they are not whole blocks or too many.
    #[must_use]
    pub fn row_bytes(&self, columns: u64) -> Option<u64> {
        let block_len = u64::from(self.block_len);
        if columns.checked_rem(block_len)? != 0 {
            return None;
        }
        columns
            .checked_div(block_len)?
            .checked_mul(u64::from(self.block_bytes))?
            .checked_add(u64::from(self.row_extra_bytes))
    }
}

/// The type with the number `id`, or `None` if its layout is not known.
#[must_use]
pub fn ggml_type(id: u32) -> Option<&'static GgmlType> {
    TYPES.iter().find(|row| row.id == id)
}

/// The name of a type number, also of types whose layout is not known here.
#[must_use]
pub fn type_name(id: u32) -> Option<&'static str> {
    ggml_type(id).map(|row| row.name).or_else(|| {
        WITHOUT_LAYOUT
            .iter()
            .find(|(other, _)| *other == id)
            .map(|(_, name)| *name)
    })
}

const fn plain(id: u32, name: &'static str, block_len: u32, block_bytes: u32) -> GgmlType {
    row(id, name, block_len, block_bytes, 0, 1)
}

const fn row(
    id: u32,
    name: &'static str,
    block_len: u32,
    block_bytes: u32,
    row_extra_bytes: u32,
    rows_together: u32,
) -> GgmlType {
    GgmlType {
        id,
        name,
        block_len,
        block_bytes,
        row_extra_bytes,
        rows_together,
    }
}

/// Types that were withdrawn, or whose tensors end in bytes that no row accounts for.
const WITHOUT_LAYOUT: &[(u32, &str)] = &[
    (4, "Q4_2"),
    (5, "Q4_3"),
    (31, "Q4_0_4_4"),
    (32, "Q4_0_4_8"),
    (33, "Q4_0_8_8"),
    (36, "I2_S"),
    (37, "IQ4_NL_4_8"),
    (38, "IQ4_NL_8_8"),
];

/// Every type with a known layout, by number.
#[rustfmt::skip]
pub const TYPES: &[GgmlType] = &[
    //    id  name       values bytes
    plain(0,  "F32",     1,   4),
    plain(1,  "F16",     1,   2),
    plain(2,  "Q4_0",    32,  18),
    plain(3,  "Q4_1",    32,  20),
    plain(6,  "Q5_0",    32,  22),
    plain(7,  "Q5_1",    32,  24),
    plain(8,  "Q8_0",    32,  34),
    plain(9,  "Q8_1",    32,  36),
    plain(10, "Q2_K",    256, 84),
    plain(11, "Q3_K",    256, 110),
    plain(12, "Q4_K",    256, 144),
    plain(13, "Q5_K",    256, 176),
    plain(14, "Q6_K",    256, 210),
    plain(15, "Q8_K",    256, 292),
    plain(16, "IQ2_XXS", 256, 66),
    plain(17, "IQ2_XS",  256, 74),
    plain(18, "IQ3_XXS", 256, 98),
    plain(19, "IQ1_S",   256, 50),
    plain(20, "IQ4_NL",  32,  18),
    plain(21, "IQ3_S",   256, 110),
    plain(22, "IQ2_S",   256, 82),
    plain(23, "IQ4_XS",  256, 136),
    plain(24, "I8",      1,   1),
    plain(25, "I16",     1,   2),
    plain(26, "I32",     1,   4),
    plain(27, "I64",     1,   8),
    plain(28, "F64",     1,   8),
    plain(29, "IQ1_M",   256, 56),
    plain(30, "BF16",    1,   2),
    plain(34, "TQ1_0",   256, 54),
    plain(35, "TQ2_0",   256, 66),
    plain(39, "MXFP4",   32,  17),
    plain(40, "NVFP4",   64,  36),
    plain(41, "Q1_0",    128, 18),
    plain(42, "Q2_0",    64,  18),
    // ik_llama.cpp: several put a scale in front of each row.
    plain(133, "Q6_0",   32,  26),
    row(134, "IQ1_BN",   64,  13,  2, 1),
    row(135, "IQ2_BN",   64,  16,  4, 1),
    plain(136, "Q8_K64", 64,  68),
    plain(137, "IQ2_K",  256, 76),
    plain(138, "IQ3_K",  256, 110),
    plain(139, "IQ4_K",  256, 144),
    plain(140, "IQ5_K",  256, 176),
    plain(141, "IQ6_K",  256, 212),
    row(144, "IQ4_KS",   256, 136, 4, 1),
    row(145, "IQ2_KS",   256, 70,  2, 1),
    row(146, "IQ4_KSS",  256, 128, 4, 1),
    row(151, "Q8_KV",    32,  32,  8, 1),
    row(152, "IQ5_KS",   256, 168, 4, 1),
    row(153, "IQ2_KT",   256, 68,  4, 1),
    row(154, "IQ3_KT",   256, 100, 4, 1),
    row(155, "IQ4_KT",   256, 128, 4, 1),
    row(156, "IQ3_KS",   256, 102, 2, 1),
    row(157, "IQ2_KL",   256, 86,  2, 1),
    row(158, "IQ1_KT",   256, 56,  4, 1),
    // Its repacked types: 4, 8 or 16 rows are interleaved.
    row(202, "Q4_0_R8",  32,  18,  0, 8),
    row(206, "Q5_0_R4",  32,  22,  0, 4),
    row(208, "Q8_0_R8",  32,  34,  0, 8),
    row(210, "Q2_K_R4",  256, 84,  0, 4),
    row(211, "Q3_K_R4",  256, 110, 0, 4),
    row(212, "Q4_K_R4",  256, 144, 0, 4),
    row(213, "Q5_K_R4",  256, 176, 0, 4),
    row(214, "Q6_K_R4",  256, 210, 0, 4),
    row(216, "IQ2_XXS_R4", 256, 66, 0, 4),
    row(217, "IQ2_XS_R4", 256, 74, 0, 4),
    row(218, "IQ3_XXS_R4", 256, 98, 0, 4),
    row(219, "IQ1_S_R4", 32,  6,   2, 4),
    row(220, "IQ4_NL_R4", 32, 18,  0, 4),
    row(221, "IQ3_S_R4", 256, 110, 0, 4),
    row(222, "IQ2_S_R4", 256, 82,  0, 4),
    row(223, "IQ4_XS_R8", 256, 136, 0, 8),
    row(229, "IQ1_M_R4", 32,  7,   2, 4),
    row(230, "BF16_R16", 1,   2,   0, 16),
    row(233, "Q6_0_R4",  32,  26,  0, 4),
    row(335, "IQ2_BN_R4", 64, 16,  4, 4),
    row(337, "IQ2_K_R4", 256, 76,  0, 4),
    row(338, "IQ3_K_R4", 256, 110, 0, 4),
    row(339, "IQ4_K_R4", 256, 144, 0, 4),
    row(340, "IQ5_K_R4", 256, 176, 0, 4),
    row(344, "IQ4_KS_R4", 256, 136, 4, 4),
    row(352, "IQ5_KS_R4", 256, 168, 4, 4),
    row(353, "MXFP4_R8", 32,  17,  0, 8),
    row(398, "Q8_KV_R8", 32,  32,  4, 8),
    row(399, "Q8_K_R8",  256, 258, 0, 8),
];
