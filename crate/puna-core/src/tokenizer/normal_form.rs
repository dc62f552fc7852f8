//! Unicode's normal forms (UAX #15). Their tables are large: natively they are those of the `tokenizers` crate, while a
//! browser has its own, and whoever embeds this in one supplies them.

use std::sync::OnceLock;

use crate::Result;

/// A normal form.
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

static SUPPLIED: OnceLock<fn(NormalForm, &str) -> String> = OnceLock::new();

impl NormalForm {
    /// What brings texts into a normal form, where the feature `normal-forms` is off. The first one stays.
    pub fn supply(normalize: fn(Self, &str) -> String) {
        SUPPLIED.get_or_init(|| normalize);
    }

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
            Some(normalize) => Ok(normalize(self, text)),
            None => self.by_library(text),
        }
    }

    #[cfg(feature = "normal-forms")]
    fn by_library(self, text: &str) -> Result<String> {
        use super::normalizer::library;
        use tokenizers::normalizers::{NFC, NFD, NFKC, NFKD};

        match self {
            Self::Nfc => library(&NFC, text),
            Self::Nfd => library(&NFD, text),
            Self::Nfkc => library(&NFKC, text),
            Self::Nfkd => library(&NFKD, text),
        }
    }

    #[cfg(not(feature = "normal-forms"))]
    fn by_library(self, _text: &str) -> Result<String> {
        Err(crate::Error::internal(format!(
            "nobody supplied Unicode's {}",
            self.name()
        )))
    }
}
