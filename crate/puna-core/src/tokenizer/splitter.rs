//! How a text is cut into the words that a model is applied to: steps, each of which cuts what the one
//! before it left.

use super::bytes;
use super::regex::{Pattern, Work};
use crate::Result;

/// A step.
pub(super) enum Splitter {
    /// By a pattern.
    Pattern {
        pattern: Pattern,
        matches: Matches,
        /// What matches is what does not, and the other way round.
        invert: bool,
    },
    /// Writes every byte as a printable character.
    Bytes {
        /// First puts a space in front of what does not begin with one.
        prefix_space: bool,
    },
    /// Writes spaces as another character.
    Spaces {
        replacement: char,
        prefix: Prefix,
        /// Words begin at each of them.
        split: bool,
    },
}

/// What becomes of the matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matches {
    /// They are dropped.
    Removed,
    /// They are words of their own.
    Isolated,
    /// They end the word before them.
    WithPrevious,
    /// They begin the word behind them.
    WithNext,
    /// Those side by side are one word.
    Contiguous,
}

/// Which pieces [`Splitter::Spaces`] puts its character in front of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// The one that a text begins with.
    First,
    None,
    All,
}

impl Splitter {
    /// Every match is a word of its own.
    pub(super) const fn isolate(pattern: Pattern) -> Self {
        Self::Pattern {
            pattern,
            matches: Matches::Isolated,
            invert: false,
        }
    }

    /// Matches stand between words.
    pub(super) const fn remove(pattern: Pattern) -> Self {
        Self::Pattern {
            pattern,
            matches: Matches::Removed,
            invert: false,
        }
    }
}

/// Takes the words.
pub(super) type Each<'e> = &'e mut dyn FnMut(&str) -> Result<()>;

/// Calls `each` with the words of `text`, in order. `begins`: nothing is in front of it. `work`: what all expressions may take
/// together.
pub(super) fn split(
    steps: &[Splitter],
    text: &str,
    begins: bool,
    work: &Work,
    each: Each<'_>,
) -> Result<()> {
    let Some((step, rest)) = steps.split_first() else {
        return each(text);
    };
    match step {
        Splitter::Pattern {
            pattern,
            matches,
            invert,
        } => {
            let mut begins = begins;
            let mut word = |word: &str| {
                let first = std::mem::take(&mut begins);
                split(rest, word, first, work, each)
            };
            if *matches == Matches::Isolated {
                return pattern.cut(text, work, |part, _| word(part));
            }
            let mut parts = Vec::new();
            pattern.cut(text, work, |part, is_match| {
                parts.push((part, is_match != *invert));
                Ok(())
            })?;
            matches.join(text, &parts).into_iter().try_for_each(word)
        }
        Splitter::Bytes { prefix_space } => {
            let mut written = String::with_capacity(text.len() + 1);
            bytes::write(text, &mut written);
            if *prefix_space && !text.starts_with(' ') {
                written.insert(0, bytes::to_char(b' '));
            }
            split(rest, &written, begins, work, each)
        }
        Splitter::Spaces {
            replacement,
            prefix,
            split: splits,
        } => {
            let mut written: String = text
                .chars()
                .map(|c| if c == ' ' { *replacement } else { c })
                .collect();
            let wants = *prefix == Prefix::All || *prefix == Prefix::First && begins;
            if wants && !written.is_empty() && !written.starts_with(*replacement) {
                written.insert(0, *replacement);
            }
            if !splits {
                return split(rest, &written, begins, work, each);
            }
            let mut begins = begins;
            let mut left = written.as_str();
            while !left.is_empty() {
                // Up to the next one that is not at the front.
                let next = left.char_indices().skip(1).find(|(_, c)| c == replacement);
                let (word, behind) = left.split_at(next.map_or(left.len(), |(at, _)| at));
                split(rest, word, std::mem::take(&mut begins), work, each)?;
                left = behind;
            }
            Ok(())
        }
    }
}

impl Matches {
    /// The words made of `parts`, which cover `text`.
    fn join<'t>(self, text: &'t str, parts: &[(&'t str, bool)]) -> Vec<&'t str> {
        let mut words: Vec<std::ops::Range<usize>> = Vec::new();
        let mut end = 0;
        // Whether the part before was a match; one that was not is in front of everything.
        let mut before = false;
        let mut joins_next = false;
        for (ix, (part, is_match)) in parts.iter().enumerate() {
            let range = end..end + part.len();
            end = range.end;
            let joins = match self {
                Self::Removed if *is_match => continue,
                Self::Removed | Self::Isolated => false,
                Self::Contiguous => *is_match == before && !words.is_empty(),
                Self::WithPrevious => *is_match && !before && !words.is_empty(),
                Self::WithNext => joins_next,
            };
            // Of matches side by side, the last begins the next word.
            joins_next = *is_match && parts.get(ix + 1).is_some_and(|(_, next)| !next);
            before = *is_match;
            match words.last_mut() {
                Some(word) if joins => word.end = range.end,
                _ => words.push(range),
            }
        }
        words
            .into_iter()
            .filter_map(|word| text.get(word))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(steps: &[Splitter], text: &str, expected: &[&str]) {
        let mut words = Vec::new();
        split(steps, text, true, &Work::of(text.len()), &mut |word| {
            words.push(word.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(words, expected, "{text:?}");
    }

    fn by(pattern: &str, matches: Matches, invert: bool) -> Splitter {
        Splitter::Pattern {
            pattern: Pattern::expression(pattern).unwrap(),
            matches,
            invert,
        }
    }

    /// The examples of the documentation of `SplitDelimiterBehavior` in the `tokenizers` crate.
    #[test]
    fn matches_go_where_they_are_told_to() {
        let text = "the-final--countdown";
        let check = |matches, expected: &[&str]| check(&[by("-", matches, false)], text, expected);
        check(Matches::Removed, &["the", "final", "countdown"]);
        check(
            Matches::Isolated,
            &["the", "-", "final", "-", "-", "countdown"],
        );
        check(Matches::WithPrevious, &["the-", "final-", "-", "countdown"]);
        check(Matches::WithNext, &["the", "-final", "-", "-countdown"]);
        check(
            Matches::Contiguous,
            &["the", "-", "final", "--", "countdown"],
        );
    }

    #[test]
    fn steps_cut_what_the_one_before_left() {
        let steps = [
            by(r"\d", Matches::Isolated, false),
            by(r"\w+", Matches::Removed, true),
        ];
        check(&steps, "ab1c d", &["ab", "1", "c", "d"]);
        check(&[], "a b", &["a b"]);
        check(&steps, "", &[]);
    }

    #[test]
    fn what_all_pieces_may_take_is_bounded_together() {
        let slow = by("(a|aa)+b", Matches::Isolated, false);
        let steps = [by("a{26}", Matches::Isolated, false), slow];
        let text = "a".repeat(20_000);
        let error = split(&steps, &text, true, &Work::of(text.len()), &mut |_| Ok(()));
        let error = error.expect_err("each piece alone would do");
        assert!(error.message().contains("gave up"), "{error}");
    }

    #[test]
    fn spaces_are_written_otherwise() {
        let spaces = |prefix, split| Splitter::Spaces {
            replacement: '▁',
            prefix,
            split,
        };
        check(&[spaces(Prefix::First, false)], "a b", &["▁a▁b"]);
        check(&[spaces(Prefix::All, true)], "a  b", &["▁a", "▁", "▁b"]);
        check(&[spaces(Prefix::None, true)], "a b", &["a", "▁b"]);
        check(&[spaces(Prefix::First, true)], " b", &["▁b"]);
        let after = [
            by(r"\d", Matches::Isolated, false),
            spaces(Prefix::First, false),
        ];
        check(&after, "a1b", &["▁a", "1", "b"]);
        check(&[Splitter::Bytes { prefix_space: true }], "é", &["ĠÃ©"]);
    }
}
