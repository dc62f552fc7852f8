//! Finds tokens that are matched as a whole, before words are cut.

use std::ops::Range;

use super::Special;
use crate::sorted::sorted;

/// Which of several tokens is taken where they overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Longer tokens wherever they stand, equally long ones from the left: as llama.cpp does.
    LongestFirst,
    /// From the left, the longest that begins at a place: as `tokenizers` does.
    LeftToRight,
}

/// A token that can be found as a whole.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) text: Box<[u8]>,
    pub(super) id: u32,
    /// Found in text that somebody typed, too.
    pub(super) always: bool,
    /// Takes the white space in front of it.
    pub(super) strip_left: bool,
    /// Takes the white space behind it.
    pub(super) strip_right: bool,
    /// Not next to a letter, digit or underscore.
    pub(super) single_word: bool,
}

impl Pattern {
    /// A token that is found wherever it is written.
    pub(super) fn new(text: &[u8], id: u32, always: bool) -> Self {
        Self {
            text: Box::from(text),
            id,
            always,
            strip_left: false,
            strip_right: false,
            single_word: false,
        }
    }
}

/// The tokens that can be found as a whole.
pub(super) struct SpecialTokens {
    /// Ordered by their text.
    sorted: Vec<Pattern>,
    /// Whether any begins with this byte: most bytes of a text are ruled out here.
    begins: [bool; 256],
    order: Order,
}

/// A token and where it stands in the text, in bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) range: Range<usize>,
    pub(super) id: u32,
}

impl SpecialTokens {
    pub(super) fn new(mut patterns: Vec<Pattern>, order: Order) -> Self {
        patterns.retain(|pattern| !pattern.text.is_empty());
        let patterns = sorted(patterns, &|a, b| a.text.cmp(&b.text));
        let mut begins = [false; 256];
        for pattern in &patterns {
            let first = pattern.text.first().copied().unwrap_or_default();
            if let Some(begins) = begins.get_mut(usize::from(first)) {
                *begins = true;
            }
        }
        Self {
            sorted: patterns,
            begins,
            order,
        }
    }

    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The tokens that stand in `text`, in its order.
    pub(super) fn find(&self, text: &str, special: Special) -> Vec<Found> {
        let wanted = |pattern: &Pattern| special == Special::Parse || pattern.always;
        let found = match self.order {
            Order::LongestFirst => self.longest_first(text, wanted),
            Order::LeftToRight => self.left_to_right(text, wanted),
        };
        let mut end = 0;
        let mut tokens = Vec::with_capacity(found.len());
        for (mut range, pattern) in found {
            if pattern.strip_left {
                let before = text.get(end..range.start).unwrap_or_default();
                range.start = end + self.trim_end(before).len();
            }
            if pattern.strip_right {
                let behind = text.get(range.end..).unwrap_or_default();
                range.end += behind.len() - self.trim_start(behind).len();
            }
            end = range.end;
            tokens.push(Found {
                range,
                id: pattern.id,
            });
        }
        tokens
    }

    fn longest_first(
        &self,
        text: &str,
        wanted: impl Fn(&Pattern) -> bool,
    ) -> Vec<(Range<usize>, &Pattern)> {
        let mut all = Vec::new();
        for (at, byte) in text.bytes().enumerate() {
            if self.begins.get(usize::from(byte)) == Some(&true) {
                self.at(text.as_bytes(), at, |length, pattern| {
                    if wanted(pattern) {
                        all.push((at..at + length, pattern));
                    }
                });
            }
        }
        let all = sorted(all, &|(a, _), (b, _)| {
            b.len().cmp(&a.len()).then(a.start.cmp(&b.start))
        });
        // What is in the way is at least as long, and so covers the first byte or the last.
        let mut covered = vec![false; text.len()];
        let mut taken = Vec::new();
        for (range, pattern) in all {
            let Some(bytes) = covered.get_mut(range.clone()) else {
                continue;
            };
            if let (Some(false), Some(false)) = (bytes.first(), bytes.last()) {
                bytes.fill(true);
                taken.push((range, pattern));
            }
        }
        sorted(taken, &|(a, _), (b, _)| a.start.cmp(&b.start))
    }

    fn left_to_right(
        &self,
        text: &str,
        wanted: impl Fn(&Pattern) -> bool,
    ) -> Vec<(Range<usize>, &Pattern)> {
        let mut found = Vec::new();
        let mut next = 0;
        for (at, byte) in text.bytes().enumerate() {
            if at < next || self.begins.get(usize::from(byte)) != Some(&true) {
                continue;
            }
            let mut longest = None;
            self.at(text.as_bytes(), at, |length, pattern| {
                longest = Some((at..at + length, pattern));
            });
            if let Some((range, pattern)) = longest {
                // One that is not wanted hides what it covers all the same.
                next = range.end;
                let alone = !pattern.single_word || stands_alone(text, &range);
                if wanted(pattern) && alone {
                    found.push((range, pattern));
                }
            }
        }
        found
    }

    /// Calls `each` with the tokens that begin at byte `at`, the shortest first: narrows the sorted list
    /// byte by byte.
    fn at<'s>(&'s self, text: &[u8], at: usize, mut each: impl FnMut(usize, &'s Pattern)) {
        let byte_of = |pattern: &Pattern, depth: usize| pattern.text.get(depth).copied();
        let mut rest = self.sorted.as_slice();
        for (depth, byte) in text.iter().skip(at).enumerate() {
            // `None`, the end of a text, comes before every byte.
            let from = rest.partition_point(|pattern| byte_of(pattern, depth) < Some(*byte));
            let to = rest.partition_point(|pattern| byte_of(pattern, depth) <= Some(*byte));
            rest = rest.get(from..to).unwrap_or_default();
            let Some(first) = rest.first() else {
                return;
            };
            if first.text.len() == depth + 1 {
                each(depth + 1, first);
            }
        }
    }

    fn trim_end<'t>(&self, text: &'t str) -> &'t str {
        match self.order {
            Order::LongestFirst => text.trim_end_matches(is_c_space),
            Order::LeftToRight => text.trim_end(),
        }
    }

    fn trim_start<'t>(&self, text: &'t str) -> &'t str {
        match self.order {
            Order::LongestFirst => text.trim_start_matches(is_c_space),
            Order::LeftToRight => text.trim_start(),
        }
    }
}

/// C's `isspace`.
const fn is_c_space(character: char) -> bool {
    matches!(character, ' ' | '\t'..='\r')
}

/// Whether no letter, digit or underscore is next to `range`.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let before = text.get(..range.start).and_then(|t| t.chars().next_back());
    let behind = text.get(range.end..).and_then(|t| t.chars().next());
    !before.is_some_and(is_word) && !behind.is_some_and(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, id: u32) -> Pattern {
        Pattern::new(text.as_bytes(), id, true)
    }

    #[track_caller]
    fn check(tokens: Vec<Pattern>, order: Order, text: &str, expected: &[(usize, usize, u32)]) {
        let found = SpecialTokens::new(tokens, order).find(text, Special::Parse);
        let found: Vec<_> = found
            .iter()
            .map(|found| (found.range.start, found.range.end, found.id))
            .collect();
        assert_eq!(found, expected, "{text:?}, {order:?}");
    }

    #[test]
    fn overlaps_are_settled_by_length_or_from_the_left() {
        let tokens = || vec![pattern("ab", 0), pattern("bcd", 1)];
        check(tokens(), Order::LongestFirst, "abcd", &[(1, 4, 1)]);
        check(tokens(), Order::LeftToRight, "abcd", &[(0, 2, 0)]);
        let tokens = || vec![pattern("a", 0), pattern("ab", 1)];
        check(tokens(), Order::LeftToRight, "aba", &[(0, 2, 1), (2, 3, 0)]);
    }

    #[test]
    fn white_space_is_taken_on_the_sides_that_ask_for_it() {
        let token = |left, right| {
            let mut token = pattern("[M]", 7);
            (token.strip_left, token.strip_right) = (left, right);
            vec![token]
        };
        let order = Order::LeftToRight;
        check(token(false, false), order, "a  [M]  b", &[(3, 6, 7)]);
        check(token(true, false), order, "a \n[M]  b", &[(1, 6, 7)]);
        check(token(false, true), order, "a  [M]\u{a0} b", &[(3, 9, 7)]);
        let order = Order::LongestFirst;
        check(token(false, true), order, "[M]\n\u{a0}b", &[(0, 4, 7)]);
        check(
            token(true, true),
            order,
            " [M] [M] ",
            &[(0, 5, 7), (5, 9, 7)],
        );
    }

    #[test]
    fn a_single_word_is_not_part_of_another() {
        let token = || {
            let mut token = pattern("day", 3);
            token.single_word = true;
            vec![token]
        };
        let order = Order::LeftToRight;
        check(
            token(),
            order,
            "day monday day_ day.",
            &[(0, 3, 3), (16, 19, 3)],
        );
    }
}
