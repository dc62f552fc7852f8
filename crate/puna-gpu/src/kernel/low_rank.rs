//! Host half of `shaders/kernel/low_rank.wgsl`, and of what `shaders/lib/low_rank.wgsl` adds to a projection.

use puna_core::graph::{LowRank, RowGroups};

use super::{Recipe, Setting, Slot, to_u32};
use crate::projection::{Kind, Rows};

/// The dispatches that come before a projection of `rows`: of low rank `ix`.
#[must_use]
pub(crate) fn recipes(
    ix: usize,
    low_rank: &LowRank,
    rows: &Rows<'_>,
    setting: &Setting<'_>,
) -> Vec<Recipe> {
    setting.rows(&Rows {
        kernel: "low_rank",
        matrix: low_rank.down,
        first_row: 0,
        x: rows.x,
        norm: rows.norm,
        next: None,
        modules: &[],
        constants: &[
            ("WIDTH", to_u32(low_rank.width())),
            ("RANK", to_u32(low_rank.rank)),
            ("ADAPTERS", to_u32(low_rank.adapters)),
        ],
        slots: &[Slot::LowRankOut(ix), Slot::Scales],
        wanted_only: false,
        cap: None,
        expert_bias: None,
        kind: Kind::Plain,
    })
}

/// The module of a projection that this is added to, or nothing is.
pub(crate) const fn module(added: Option<(usize, &LowRank)>) -> &'static str {
    match added {
        Some(_) => "lib/low_rank",
        None => "lib/low_rank_none",
    }
}

/// Its constants, where the matrix's rows begin at output row `first_row`.
pub(crate) fn constants(
    low_rank: &LowRank,
    first_row: usize,
    setting: &Setting<'_>,
) -> [(&'static str, u32); 9] {
    let (starts, interleaved): (&[usize], _) = match &low_rank.groups {
        RowGroups::Stacked(starts) => (starts, 0),
        RowGroups::Interleaved => (&[], 1),
    };
    let start = |ix: usize| starts.get(ix).map_or(u32::MAX, |&start| to_u32(start));
    [
        ("LOW_FIRST", to_u32(first_row)),
        ("LOW_ROWS", to_u32(low_rank.shape.0)),
        ("LOW_SECOND", start(0)),
        ("LOW_THIRD", start(1)),
        ("LOW_INTERLEAVED", interleaved),
        ("LOW_ADAPTERS", to_u32(low_rank.adapters)),
        ("LOW_PAIRS", to_u32(low_rank.rank / 2)),
        ("LOW_WIDTH", to_u32(low_rank.width())),
        ("LOW_UP", to_u32(setting.max_tokens * low_rank.width())),
    ]
}

/// Bytes of the buffer of both: of what A gives for `max_tokens` tokens, and of B.
#[must_use]
pub(crate) const fn bytes(low_rank: &LowRank, max_tokens: usize) -> u64 {
    up_offset(low_rank, max_tokens) + low_rank.up_len() as u64 * 2
}

/// Where B begins in it, bytes.
#[must_use]
pub(crate) const fn up_offset(low_rank: &LowRank, max_tokens: usize) -> u64 {
    (max_tokens * low_rank.width() * 4) as u64
}
