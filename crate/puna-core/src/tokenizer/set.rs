//! Sets of characters.

use std::sync::OnceLock;

use crate::sorted::sorted;

/// A set of characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    /// Code points, first and last, in order; neither touching nor empty.
    ranges: Vec<(u32, u32)>,
    /// A bit for each of the first 128: most texts are made of them.
    ascii: u128,
}

const LAST: u32 = char::MAX as u32;

impl Set {
    pub(super) fn of(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.retain(|&(first, last)| first <= last);
        let ranges = sorted(ranges, &Ord::cmp);
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => joined.push((first, last)),
            }
        }
        let mut set = Self {
            ranges: joined,
            ascii: 0,
        };
        set.ascii = (0..128_u8).fold(0, |ascii, c| ascii | u128::from(set.has(u32::from(c))) << c);
        set
    }

    pub(super) fn one(character: char) -> Self {
        Self::of(vec![(character.into(), character.into())])
    }

    /// All that are in one of them.
    pub(super) fn of_all(sets: Vec<Self>) -> Self {
        match <[Self; 1]>::try_from(sets) {
            Ok([set]) => set,
            Err(sets) => Self::of(sets.into_iter().flat_map(|set| set.ranges).collect()),
        }
    }

    /// How many ranges it has.
    pub(super) fn ranges(&self) -> usize {
        self.ranges.len()
    }

    fn has(&self, point: u32) -> bool {
        let behind = self.ranges.partition_point(|&(first, _)| first <= point);
        behind
            .checked_sub(1)
            .and_then(|ix| self.ranges.get(ix))
            .is_some_and(|&(_, last)| point <= last)
    }

    pub(super) fn contains(&self, character: char) -> bool {
        let point = u32::from(character);
        if point < 128 {
            self.ascii >> point & 1 == 1
        } else {
            self.has(point)
        }
    }

    /// The one character, if it is one.
    pub(super) fn only(&self) -> Option<u32> {
        match self.ranges.as_slice() {
            &[(first, last)] if first == last => Some(first),
            _ => None,
        }
    }

    pub(super) fn union(mut self, other: &Self) -> Self {
        self.ranges.extend_from_slice(&other.ranges);
        Self::of(self.ranges)
    }

    /// All characters that are not in it.
    pub(super) fn complement(&self) -> Self {
        let mut next = 0;
        let mut ranges = Vec::with_capacity(self.ranges.len().saturating_add(1));
        for &(first, last) in &self.ranges {
            if let Some(before) = first.checked_sub(1) {
                ranges.push((next, before));
            }
            next = last.saturating_add(1);
        }
        ranges.push((next, LAST));
        Self::of(ranges)
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.complement().union(&other.complement()).complement()
    }

    /// The set with the other cases of its letters, by Unicode's simple case folding.
    pub(super) fn in_every_case(mut self) -> Self {
        let cases = cases();
        let mut others = Vec::new();
        for &(first, last) in &self.ranges {
            let from = cases.partition_point(|&(point, _)| point < first);
            let within = cases
                .iter()
                .skip(from)
                .take_while(|&&(point, _)| point <= last);
            others.extend(within.map(|&(_, other)| (other, other)));
        }
        self.ranges.append(&mut others);
        Self::of(self.ranges)
    }
}

/// Code points, and one of those that differ from them in case alone, in order.
fn cases() -> &'static [(u32, u32)] {
    static CASES: OnceLock<Vec<(u32, u32)>> = OnceLock::new();
    CASES.get_or_init(|| {
        // The last letter with cases is in the second plane.
        let mut folded: Vec<(u32, u32)> = Vec::new();
        for character in (0..=0x1_FFFF).filter_map(char::from_u32) {
            let to = fold(character);
            if to != character {
                folded.extend([(to.into(), to.into()), (to.into(), character.into())]);
            }
        }
        let mut folded = sorted(folded, &Ord::cmp);
        folded.dedup();
        let mut cases = Vec::new();
        for alike in folded.chunk_by(|a, b| a.0 == b.0) {
            for &(_, point) in alike {
                let others = alike.iter().filter(|&&(_, other)| other != point);
                cases.extend(others.map(|&(_, other)| (point, other)));
            }
        }
        sorted(cases, &Ord::cmp)
    })
}

/// Unicode's simple case folding (`CaseFolding.txt`, C and S), or another one of the characters that are folded alike.
fn fold(character: char) -> char {
    match character {
        // Folded to itself: Turkish has another i.
        'ı' => return character,
        // Written with the same letters and marks, and no case of each other.
        '\u{1fd3}' => return '\u{390}',
        '\u{1fe3}' => return '\u{3b0}',
        '\u{fb05}' => return '\u{fb06}',
        _ => {}
    }
    let upper = single(character.to_uppercase()).unwrap_or(character);
    single(upper.to_lowercase()).unwrap_or(upper)
}

fn single(mut mapped: impl Iterator<Item = char>) -> Option<char> {
    let first = mapped.next();
    first.filter(|_| mapped.next().is_none())
}

#[cfg(test)]
mod tests {
    use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

    use super::*;
    use crate::tokenizer::unicode;

    #[test]
    fn sets_are_what_their_operations_say() {
        let set = |ranges: &[(u32, u32)]| Set::of(ranges.to_vec());
        let joined = set(&[(5, 9), (1, 3), (4, 4), (20, 10)]);
        assert_eq!(joined, set(&[(1, 9)]), "touching ones are one");
        let outside = joined.complement();
        assert_eq!(outside, set(&[(0, 0), (10, LAST)]), "complement");
        assert_eq!(outside.complement(), joined, "and back");
        let everything = Set::default().complement();
        assert!(everything.contains('\0') && everything.contains(char::MAX));
        assert_eq!(everything.complement(), Set::default());
        let both = joined.intersection(&set(&[(3, 4), (9, 12), (300, 400)]));
        assert_eq!(both, set(&[(3, 4), (9, 9)]), "intersection");
        let other = set(&[(0x61, 0x61), (300, 400)]);
        for point in (0..500).filter_map(char::from_u32) {
            let within = |set: &Set| {
                set.ranges
                    .iter()
                    .any(|&(first, last)| (first..=last).contains(&u32::from(point)))
            };
            assert_eq!(other.contains(point), within(&other), "{point:?}");
        }
    }

    #[test]
    fn cases_are_those_of_unicode() {
        let folded = |first, last| {
            let mut class = ClassUnicode::new([ClassUnicodeRange::new(first, last)]);
            class.case_fold_simple();
            let ranges = class.ranges().iter();
            Set::of(
                ranges
                    .map(|range| (range.start().into(), range.end().into()))
                    .collect(),
            )
        };
        // The standard library may have letters of a later version.
        let known = unicode::class("Cn").unwrap().complement();
        let points = (0..=0x1_FFFF).filter_map(char::from_u32);
        for point in points.filter(|&point| known.contains(point)) {
            let got = Set::one(point).in_every_case().intersection(&known);
            assert_eq!(got, folded(point, point), "{point:?}");
        }
        let beyond = Set::of(vec![(0x2_0000, LAST)]);
        assert_eq!(beyond, folded('\u{20000}', char::MAX), "no cases");
    }
}
