//! Host half of `shaders/kernel/attention.wgsl`.

use puna_core::graph::{Attention, KvShape, Span, Temperature};
use puna_core::{Error, Result};

use super::{Grid, Params, Recipe, Setting, Slot, cap_modules, to_u32};
use crate::split::{AttentionSplit, Split, WORKGROUP};

/// Keys of a tile, and invocations of a workgroup, where keys are cut into parts.
const KEYS: u32 = 128;
/// So many tiles and fewer are one part: a dispatch more costs more than it brings.
const WHOLE_TILES: u32 = 2;
/// Most parts. With a key head or two and a long context they still fill a large GPU.
const MOST_PARTS: u32 = 32;
/// Most query heads of a workgroup; each takes registers of every invocation.
const MOST_GROUP: u32 = 8;
/// Most elements of a workgroup's queries, in the 16 KiB of workgroup memory that every device has.
const MOST_QUERY: u32 = 1024;
/// Rows of a tile where there are many tokens.
const ROWS: u32 = 32;
/// Largest value: those of a part take a quarter of as many invocations.
const MOST_VALUE_DIM: usize = 4 * KEYS as usize;
/// Largest key: its query's share of workgroup memory.
const MOST_HEAD_DIM: usize = MOST_QUERY as usize;

/// Whether the kernels can do heads of a size.
///
/// # Errors
/// `unsupported_model` when not, with what they can.
pub fn check(kv: KvShape) -> Result<()> {
    for (size, most) in [(kv.head_dim, MOST_HEAD_DIM), (kv.value_dim, MOST_VALUE_DIM)] {
        if !size.is_multiple_of(4) || size > most {
            return Err(Error::unsupported_model(format!(
                "the heads have size {size}, expected a multiple of 4, at most {most}"
            )));
        }
    }
    Ok(())
}

/// Keys that a token can see at most where a driver lets all loops of a shader together go round `bound` times.
#[must_use]
pub fn most_keys(kv: KvShape, split: Split, bound: u32) -> usize {
    let (dims4, values4) = (kv.head_dim.div_ceil(4), kv.value_dim.div_ceil(4));
    // Rounds of the loops over some keys, and of those outside: each is left in a round of its own.
    let (keys, each, once) = match split {
        // `lib/attention_serial`: four keys, of whose dimensions 16 are taken in a round.
        Split::Serial => {
            let round = |vec4s: usize| vec4s.div_ceil(4) + 1;
            (4, 1 + round(dims4) + round(values4), dims4 + values4 + 2)
        }
        // `lib/attention_tiled`, which has more than the one for few tokens: chunks of 8 vec4s.
        Split::Shared | Split::Subgroup(..) => {
            let (chunks, value_chunks) = (dims4.div_ceil(8), values4.div_ceil(8));
            let load = ROWS as usize * 8 / WORKGROUP as usize + 1;
            let scores = chunks * (2 * load + 8 * 6 + 2);
            let sums = value_chunks * (load + ROWS as usize + 1 + 6);
            (ROWS as usize, scores + sums + 30, 4 * value_chunks + 40)
        }
    };
    (bound as usize).saturating_sub(once) / each * keys
}

/// Bytes of the sums that parts of the keys leave for the dispatch that merges them.
#[must_use]
pub fn sums_bytes(heads: usize, value_dim: usize, tokens: usize) -> u64 {
    (tokens * heads * MOST_PARTS as usize * (value_dim + 4) * 4) as u64
}

/// Parts of so many keys; `parts_of` of `shaders/lib/key_parts.wgsl`.
pub(super) const fn parts_of(keys: u32) -> u32 {
    let tiles = keys.div_ceil(KEYS);
    if tiles <= WHOLE_TILES {
        return 1;
    }
    tiles.div_ceil(tiles.div_ceil(MOST_PARTS))
}

/// Parts of the one of a few tokens that has the most of them, by the tokens' positions and the ends of their conversations. One
/// key more may make them fewer: then they are longer.
pub(super) fn most_parts(positions: impl Iterator<Item = (u32, u32)>, span: Span) -> u32 {
    let keys = |(position, end)| {
        let (at, end) = (position as usize, end as usize);
        to_u32(span.end(at, end) - span.first(at))
    };
    let parts = positions.map(|of_token| parts_of(keys(of_token)));
    parts.max().unwrap_or(1)
}

/// The op's dispatches: one, and one to merge parts of the keys where a long context has such.
#[must_use]
pub fn recipes(op: &Attention, setting: &Setting<'_>) -> Vec<Recipe> {
    let heads = to_u32(op.heads);
    let kv_heads = to_u32(setting.graph.kv.heads);
    let span = op.span;
    let (window, chunk) = match span {
        Span::All | Span::Both => (u32::MAX, u32::MAX),
        Span::Window(window) => (window, u32::MAX),
        Span::Chunk(chunk) => (u32::MAX, chunk),
    };
    let recipe = |module: &str, workgroup: u32, own: &[(&'static str, u32)], grid: Grid| {
        let split = setting.split.attention(setting.width);
        let merges = module == "lib/attention_merge";
        let mut modules = vec!["lib/params", "lib/step"];
        if !merges {
            modules.extend(setting.kv_load());
            modules.extend(cap_modules(op.cap));
        }
        let sinks = op
            .sinks
            .map(|sinks| (setting.own4(sinks), Slot::Own(sinks)));
        modules.extend(match sinks {
            Some(_) => &["lib/own_vector", "lib/sink"][..],
            None => &["lib/sink_none"],
        });
        modules.push("kernel/attention");
        let is_heated = op.temperature != Temperature::NONE;
        let mut constants = vec![
            ("WORKGROUP", workgroup),
            ("HEATED", u32::from(is_heated)),
            ("SEES_ALL", u32::from(span == Span::Both)),
        ];
        constants.extend(setting.kv_constants(op.heads));
        constants.extend(own);
        let mut slots = vec![
            Slot::Params,
            Slot::Step,
            Slot::X(op.query),
            Slot::Out(op.out),
        ];
        if let Some((own4, slot)) = sinks {
            constants.push(own4);
            slots.push(slot);
        }
        if merges {
            slots.remove(2);
        } else {
            slots.push(Slot::KvX(op.layer));
        }
        if split == AttentionSplit::Parts {
            modules.push("lib/key_parts");
            constants.extend([
                ("KEYS", KEYS),
                ("WHOLE_TILES", WHOLE_TILES),
                ("MOST_PARTS", MOST_PARTS),
            ]);
            slots.push(Slot::SumsOfParts);
        }
        modules.push(module);
        Recipe::plain(
            "attention",
            format!("attention {}", op.layer),
            modules,
            constants,
            slots,
            Params {
                scale: op.scale,
                cap: op.cap.unwrap_or(0.0),
                window,
                chunk,
                heat: op.temperature.scale,
                every: op.temperature.every,
                ..Params::default()
            },
            grid,
        )
    };
    match setting.split.attention(setting.width) {
        AttentionSplit::Serial => {
            let grid = Grid::Flat {
                per_token: heads,
                workgroup: WORKGROUP,
            };
            vec![recipe("lib/attention_serial", WORKGROUP, &[], grid)]
        }
        AttentionSplit::Tiled => {
            let grid = Grid::Tiles {
                x: kv_heads,
                rows_each_token: heads / kv_heads,
                rows: ROWS,
            };
            vec![recipe("lib/attention_tiled", WORKGROUP, &[], grid)]
        }
        AttentionSplit::Parts => {
            let group = group(heads / kv_heads, to_u32(setting.graph.kv.head_dim));
            let own = [("GROUP", group), ("MOST_GROUP", MOST_GROUP)];
            let parts = Grid::Parts {
                x: heads / group,
                merge: false,
                span,
            };
            let merge = Grid::Parts {
                x: heads,
                merge: true,
                span,
            };
            vec![
                recipe("lib/attention_parts", KEYS, &own, parts),
                recipe("lib/attention_merge", WORKGROUP, &[], merge),
            ]
        }
    }
}

/// Query heads of a workgroup, of `sharing` that share a key head.
fn group(sharing: u32, head_dim: u32) -> u32 {
    let fits = |&group: &u32| sharing.is_multiple_of(group) && group * head_dim <= MOST_QUERY;
    (1..=MOST_GROUP).rev().find(fits).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_hold_all_keys_and_are_few() {
        for keys in (1..20_000).chain([131_072, 1_000_000]) {
            let parts = parts_of(keys);
            let tiles = keys.div_ceil(KEYS);
            let each = tiles.div_ceil(parts);
            assert!((1..=MOST_PARTS).contains(&parts), "{keys} keys: {parts}");
            assert!(parts * each >= tiles, "{keys} keys: {parts} × {each}");
            assert!((parts - 1) * each < tiles, "{keys} keys: an empty part");
            assert_eq!(parts == 1, keys <= WHOLE_TILES * KEYS, "{keys} keys");
        }
    }

    #[test]
    fn there_are_as_many_parts_as_any_of_a_few_tokens_has() {
        for (position, tokens, span, expected) in [
            (0, 8, Span::All, 1),
            (255, 1, Span::All, 1),
            (255, 2, Span::All, 3),
            (4095, 1, Span::All, 32),
            // Behind it there are 17.
            (4095, 7, Span::All, 32),
            (4096, 7, Span::All, 17),
            (100_000, 8, Span::Window(512), 4),
            // Of the last of a chunk, and of the first of the next.
            (1023, 1, Span::Chunk(1024), 8),
            (1023, 8, Span::Chunk(1024), 8),
            (1024, 8, Span::Chunk(1024), 1),
            (0, 8, Span::Both, 1),
            (250, 7, Span::Both, 3),
        ] {
            let end = position + tokens;
            let got = most_parts((position..end).map(|position| (position, end)), span);
            assert_eq!(got, expected, "{position}+{tokens} of {span:?}");
        }
    }

    #[test]
    fn groups_divide_the_heads_and_fit() {
        for (sharing, head_dim, expected) in [
            (1, 64, 1),
            (3, 64, 3),
            (4, 128, 4),
            (7, 64, 7),
            (8, 256, 4),
            (16, 128, 8),
            (71, 64, 1),
            (4, 512, 2),
        ] {
            assert_eq!(group(sharing, head_dim), expected, "{sharing} × {head_dim}");
        }
    }

    #[test]
    fn where_loops_are_bounded_contexts_are() {
        let shape = |head_dim| KvShape {
            layers: 1,
            heads: 1,
            head_dim,
            value_dim: head_dim,
        };
        // Of llvmpipe, and heads of SmolLM2 and Gemma.
        for (split, head_dim, least, most) in [
            (Split::Serial, 64, 20_000, 30_000),
            (Split::Serial, 256, 6000, 8000),
            (Split::Shared, 64, 6000, 12_000),
            (Split::Shared, 256, 1900, 3000),
        ] {
            let keys = most_keys(shape(head_dim), split, 65_535);
            assert!(
                (least..=most).contains(&keys),
                "{split:?} {head_dim}: {keys}"
            );
        }
        assert_eq!(most_keys(shape(256), Split::Serial, 10), 0, "too few");
    }

    #[test]
    fn heads_that_the_kernels_cannot_do_are_refused_by_size() {
        let shape = |head_dim, value_dim| KvShape {
            layers: 1,
            heads: 1,
            head_dim,
            value_dim,
        };
        for good in [4, 64, 80, 100, 128, 256, 512] {
            check(shape(good, good)).expect("a usual size");
        }
        check(shape(576, 512)).expect("a compressed key");
        for bad in [30, 576] {
            let message = check(shape(bad, bad)).expect_err("refused").to_string();
            assert!(message.contains(&bad.to_string()), "{message}");
        }
    }
}
