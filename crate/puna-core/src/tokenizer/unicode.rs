//! Unicode's tables: sets of characters by name, and normal forms. They are large: natively they are those of the
//! `regex-syntax` and `tokenizers` crates, while a browser has its own, and whoever embeds this in one supplies them.

use std::ops::RangeInclusive;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::set::Set;
use crate::Result;

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

#[cfg(feature = "unicode-tables")]
mod library {
    use std::ops::RangeInclusive;

    use regex_syntax::hir::{Class, HirKind};
    use tokenizers::normalizers::{NFC, NFD, NFKC, NFKD};
    use tokenizers::{NormalizedString, Normalizer};

    use super::NormalForm;
    use crate::{Error, Result};

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

    pub(super) fn normal_form(_form: NormalForm, _text: &str) -> Result<String> {
        Err(Error::internal("nobody supplied Unicode's normal forms"))
    }

    pub(super) fn class(_name: &str) -> Result<Option<Vec<RangeInclusive<char>>>, String> {
        Err("Unicode's sets, which nobody supplied".to_owned())
    }
}
