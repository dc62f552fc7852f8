//! Unicode's tables: sets of characters by name, normal forms, and where user-perceived characters end. They are large:
//! natively they are those of the `regex-syntax`, `tokenizers` and `unicode-segmentation` crates, while a browser has its own,
//! and whoever embeds this in one supplies them.

use std::ops::RangeInclusive;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::set::Set;
use crate::{Error, Result};

/// A normal form (UAX #15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormalForm {
    /// Canonical composition.
    Nfc,
    /// Canonical decomposition.
    Nfd,
    /// Compatibility composition.
    Nfkc,
    /// Compatibility decomposition.
    Nfkd,
}

/// Somebody else's tables.
#[derive(Clone, Copy, Debug)]
pub struct Tables {
    /// Brings a text into a normal form.
    pub normalize: fn(NormalForm, &str) -> String,
    /// The characters that have a property, by the name that it has in `\p{…}` (UTS #18): of a general category (`L`,
    /// `Nd`), a script (`Han`) or a property that a character has or has not (`White_Space`). None if there is no such
    /// name. In any order.
    pub class: fn(&str) -> Option<Vec<RangeInclusive<char>>>,
    /// Where each user-perceived character of a text ends (UAX #29, extended grapheme clusters), in bytes. None where
    /// nothing tells.
    pub graphemes: fn(&str) -> Option<Vec<usize>>,
}

static SUPPLIED: OnceLock<Tables> = OnceLock::new();

impl Tables {
    /// Makes tokenizers use these. The first ones stay.
    pub fn supply(self) {
        SUPPLIED.get_or_init(|| self);
    }
}

impl NormalForm {
    /// The name by which JavaScript's `String.prototype.normalize` knows it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nfc => "NFC",
            Self::Nfd => "NFD",
            Self::Nfkc => "NFKC",
            Self::Nfkd => "NFKD",
        }
    }

    /// `text` in this form.
    pub(super) fn of(self, text: &str) -> Result<String> {
        if text.is_ascii() {
            return Ok(text.to_owned());
        }
        match SUPPLIED.get() {
            Some(tables) => Ok((tables.normalize)(self, text)),
            None => library::normal_form(self, text),
        }
    }
}

/// Names that were asked for, and their sets: expressions have the same few.
static KNOWN: Mutex<Vec<(String, Set)>> = Mutex::new(Vec::new());
const MAX_KNOWN: usize = 64;

/// The characters that a name in `\p{…}` stands for; the reason, if it stands for nothing.
pub(super) fn class(name: &str) -> Result<Set, String> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, set)) = known.iter().find(|(of, _)| of == name) {
        return Ok(set.clone());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '=');
    let found = match SUPPLIED.get() {
        _ if !name.chars().all(plain) => None,
        Some(tables) => (tables.class)(name),
        None => library::class(name)?,
    };
    let Some(ranges) = found else {
        return Err(format!("the set \\p{{{name}}}, which is unknown"));
    };
    let points = ranges.into_iter().map(|range| {
        let (first, last) = range.into_inner();
        (first.into(), last.into())
    });
    let set = Set::of(points.collect());
    if known.len() < MAX_KNOWN {
        known.push((name.to_owned(), set.clone()));
    }
    Ok(set)
}

/// The user-perceived characters of a text, in their order.
pub(super) fn graphemes(text: &str) -> Result<Vec<&str>> {
    // Of ASCII's characters only a line break of two is more than one.
    let ends = match SUPPLIED.get() {
        _ if text.is_ascii() && !text.contains('\r') => (1..=text.len()).collect(),
        Some(tables) => (tables.graphemes)(text).ok_or_else(|| {
            Error::unsupported_model(
                "the tokenizer looks up user-perceived characters, which this browser does not tell (Intl.Segmenter): take a \
                 newer one, or a GGUF of the model, whose tokenizer does without",
            )
        })?,
        None => library::graphemes(text)?,
    };
    let mut start = 0;
    let graphemes = ends.into_iter().map(|end| {
        let grapheme = text.get(start..end).unwrap_or_default();
        start = end;
        grapheme
    });
    Ok(graphemes.collect())
}

#[cfg(feature = "unicode-tables")]
mod library {
    use std::ops::RangeInclusive;

    use regex_syntax::hir::{Class, HirKind};
    use tokenizers::normalizers::{NFC, NFD, NFKC, NFKD};
    use tokenizers::{NormalizedString, Normalizer};
    use unicode_segmentation::UnicodeSegmentation as _;

    use super::NormalForm;
    use crate::{Error, Result};

    #[expect(
        clippy::unnecessary_wraps,
        reason = "without the tables there is an error"
    )]
    pub(super) fn graphemes(text: &str) -> Result<Vec<usize>> {
        let graphemes = text.grapheme_indices(true);
        Ok(graphemes.map(|(at, part)| at + part.len()).collect())
    }

    pub(super) fn normal_form(form: NormalForm, text: &str) -> Result<String> {
        let normalizer: &dyn Normalizer = match form {
            NormalForm::Nfc => &NFC,
            NormalForm::Nfd => &NFD,
            NormalForm::Nfkc => &NFKC,
            NormalForm::Nfkd => &NFKD,
        };
        let mut normalized = NormalizedString::from(text);
        normalizer
            .normalize(&mut normalized)
            .map_err(|error| Error::internal(format!("tokenizer: {error}")))?;
        Ok(normalized.get().to_owned())
    }

    #[expect(
        clippy::unnecessary_wraps,
        reason = "without the tables there is an error"
    )]
    pub(super) fn class(name: &str) -> Result<Option<Vec<RangeInclusive<char>>>, String> {
        let parsed = regex_syntax::parse(&format!("\\p{{{name}}}"));
        Ok(parsed.ok().and_then(|parsed| match parsed.into_kind() {
            HirKind::Class(Class::Unicode(class)) => {
                let ranges = class.ranges().iter();
                Some(ranges.map(|range| range.start()..=range.end()).collect())
            }
            // A set of one.
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).ok()?;
                Some(
                    text.chars()
                        .map(|character| character..=character)
                        .collect(),
                )
            }
            _ => None,
        }))
    }
}

#[cfg(not(feature = "unicode-tables"))]
mod library {
    use std::ops::RangeInclusive;

    use super::NormalForm;
    use crate::{Error, Result};

    pub(super) fn graphemes(_text: &str) -> Result<Vec<usize>> {
        Err(Error::internal(
            "nobody supplied Unicode's user-perceived characters",
        ))
    }

    pub(super) fn normal_form(_form: NormalForm, _text: &str) -> Result<String> {
        Err(Error::internal("nobody supplied Unicode's normal forms"))
    }

    pub(super) fn class(_name: &str) -> Result<Option<Vec<RangeInclusive<char>>>, String> {
        Err("Unicode's sets, which nobody supplied".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_perceived_characters_are_whole() {
        let all = [
            "a",
            "\r\n",
            "e\u{301}",
            "\r",
            "日",
            "👩\u{200d}👧",
            "각",
            "b",
        ];
        assert_eq!(graphemes(&all.concat()).unwrap(), all);
        assert_eq!(graphemes("ab\n").unwrap(), ["a", "b", "\n"], "ASCII");
        assert_eq!(
            graphemes("a\r\n").unwrap(),
            ["a", "\r\n"],
            "a line break of two"
        );
        assert!(graphemes("").unwrap().is_empty(), "none");
    }
}
