//! Sentencepiece's byte-pair encoding by scores, as llama.cpp does it.
//!
//! Of all neighbours whose texts together are a token, those of the best score are merged, the leftmost
//! among equals. The `tokenizers` crate merges by rank, which can't say that two merges are equal, and
//! wants a table of half a million merges that the file does not hold.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::lookup::Lookup;

/// A vocabulary with scores.
pub(super) struct Spm {
    lookup: Lookup,
    /// By id.
    scores: Vec<f32>,
    /// The tokens that stand for single bytes.
    bytes: Box<[Option<u32>; 256]>,
    /// For a byte without a token.
    unknown: Option<u32>,
}

/// A token to be, part of a chain.
#[derive(Clone, Copy)]
struct Symbol {
    /// Where it begins, in bytes.
    start: usize,
    /// 0 once it was merged into its left neighbour.
    length: usize,
    left: Option<usize>,
    right: Option<usize>,
}

/// Two neighbours that could be merged.
struct Pair {
    score: f32,
    left: usize,
    right: usize,
    /// Of both together when the pair was found: another one means that one of them has changed.
    length: usize,
}

impl Ord for Pair {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_score = self.score.total_cmp(&other.score);
        by_score.then_with(|| other.left.cmp(&self.left))
    }
}

impl PartialOrd for Pair {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Pair {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Pair {}

impl Spm {
    /// A vocabulary; tokens without a score have 0.
    pub(super) fn new(lookup: Lookup, mut scores: Vec<f32>, unknown: Option<u32>) -> Self {
        for score in &mut scores {
            // So that -0 and 0 are equal, and no number is less than all.
            *score = if score.is_nan() {
                f32::NEG_INFINITY
            } else {
                *score + 0.0
            };
        }
        let mut bytes = Box::new([None; 256]);
        for (byte, token) in (0_u8..=u8::MAX).zip(bytes.iter_mut()) {
            let written = format!("<0x{byte:02X}>");
            *token = lookup.id(written.as_bytes()).or_else(|| lookup.id(&[byte]));
        }
        Self {
            lookup,
            scores,
            bytes,
            unknown,
        }
    }

    /// Adds the ids of a text, whose spaces are written as the vocabulary writes them.
    pub(super) fn encode(&self, text: &str, ids: &mut Vec<u32>) {
        let mut symbols: Vec<Symbol> = Vec::with_capacity(text.len());
        for (ix, (start, character)) in text.char_indices().enumerate() {
            symbols.push(Symbol {
                start,
                length: character.len_utf8(),
                left: ix.checked_sub(1),
                right: Some(ix + 1),
            });
        }
        if let Some(last) = symbols.last_mut() {
            last.right = None;
        }
        let mut pairs = BinaryHeap::new();
        for left in 0..symbols.len().saturating_sub(1) {
            pairs.extend(self.pair(text, &symbols, Some(left), Some(left + 1)));
        }
        while let Some(pair) = pairs.pop() {
            let (Some(left), Some(right)) = (
                symbols.get(pair.left).copied(),
                symbols.get(pair.right).copied(),
            ) else {
                continue;
            };
            let is_stale = left.length == 0 || right.length == 0;
            if is_stale || left.length + right.length != pair.length {
                continue;
            }
            if let Some(left) = symbols.get_mut(pair.left) {
                left.length = pair.length;
                left.right = right.right;
            }
            if let Some(right) = symbols.get_mut(pair.right) {
                right.length = 0;
            }
            if let Some(next) = right.right.and_then(|ix| symbols.get_mut(ix)) {
                next.left = Some(pair.left);
            }
            pairs.extend(self.pair(text, &symbols, left.left, Some(pair.left)));
            pairs.extend(self.pair(text, &symbols, Some(pair.left), right.right));
        }
        for symbol in symbols.iter().filter(|symbol| symbol.length > 0) {
            let range = symbol.start..symbol.start + symbol.length;
            let written = text.as_bytes().get(range).unwrap_or_default();
            match self.lookup.id(written) {
                Some(id) => ids.push(id),
                None => ids.extend(written.iter().filter_map(|byte| self.byte(*byte))),
            }
        }
    }

    /// The pair of two neighbours, if their texts together are a token.
    fn pair(
        &self,
        text: &str,
        symbols: &[Symbol],
        left: Option<usize>,
        right: Option<usize>,
    ) -> Option<Pair> {
        let (left, right) = (left?, right?);
        let (first, second) = (symbols.get(left)?, symbols.get(right)?);
        let length = first.length + second.length;
        let range = first.start..first.start + length;
        let id = self.lookup.id(text.as_bytes().get(range)?)?;
        let score = self.scores.get(usize::try_from(id).ok()?).copied();
        Some(Pair {
            score: score.unwrap_or_default(),
            left,
            right,
            length,
        })
    }

    fn byte(&self, byte: u8) -> Option<u32> {
        let token = self.bytes.get(usize::from(byte)).copied().flatten();
        token.or(self.unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::super::strings::Strings;
    use super::*;

    fn ids(tokens: &[(&str, f32)], text: &str) -> Vec<u32> {
        let mut texts = Strings::default();
        for (token, _) in tokens {
            texts.push(token.as_bytes()).unwrap();
        }
        let scores = tokens.iter().map(|(_, score)| *score).collect();
        let spm = Spm::new(Lookup::new(texts).unwrap(), scores, Some(0));
        let mut ids = Vec::new();
        spm.encode(text, &mut ids);
        ids
    }

    #[test]
    fn the_best_score_is_merged_first_and_the_leftmost_of_equals() {
        let with = |ab, bc| {
            [
                ("?", 0.0),
                ("a", 0.0),
                ("b", 0.0),
                ("c", 0.0),
                ("ab", ab),
                ("bc", bc),
            ]
        };
        assert_eq!(ids(&with(-1.0, -2.0), "abc"), [4, 3], "ab, c");
        assert_eq!(ids(&with(-2.0, -1.0), "abc"), [1, 5], "a, bc");
        assert_eq!(ids(&with(-1.0, -1.0), "abc"), [4, 3], "from the left");
        assert_eq!(ids(&with(-1.0, f32::NAN), "abc"), [4, 3], "no number");
        assert_eq!(ids(&with(0.0, -0.0), "abc"), [4, 3], "equal");
    }

    #[test]
    fn merges_go_on_from_what_was_merged() {
        let tokens = [("a", 0.0), ("aa", -1.0), ("aaa", -3.0), ("aaaa", -2.0)];
        assert_eq!(ids(&tokens, "aaaa"), [3], "aa + aa");
        assert_eq!(ids(&tokens, "aaa"), [2], "aa + a");
        assert_eq!(ids(&tokens, "aaaaaa"), [3, 1], "aaaa, aa");
    }

    #[test]
    fn parts_need_no_token_of_their_own() {
        let tokens = [("?", 0.0), ("xy", 0.0)];
        assert_eq!(ids(&tokens, "xyx"), [1, 0], "xy and one that is unknown");
    }

    #[test]
    fn what_is_in_no_token_is_written_as_bytes() {
        let tokens = [("?", 0.0), ("<0xC3>", 0.0), ("<0xA9>", 0.0), ("!", 0.0)];
        assert_eq!(ids(&tokens, "é!"), [1, 2, 3], "two bytes");
        assert_eq!(ids(&tokens, "è"), [1, 0], "the second byte has no token");
    }

    #[test]
    fn a_long_text_takes_no_longer_than_its_length() {
        let tokens = [("a", 0.0), ("aa", -1.0), ("aaaa", -2.0)];
        assert_eq!(ids(&tokens, &"a".repeat(400_000)).len(), 100_000, "fours");
    }
}
