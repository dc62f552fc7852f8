//! Follows one answer.

use llguidance::Matcher;
use llguidance::api::StopReason;
use puna_core::guide::Guide;
use puna_core::{Error, Result};

/// An answer that a grammar holds, so far.
pub struct Following {
    matcher: Matcher,
    n_tokens: usize,
    /// (⌈V / 32⌉,), a bit a token.
    allowed: Vec<u32>,
}

impl std::fmt::Debug for Following {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Following({})", self.matcher.stop_reason())
    }
}

impl Following {
    pub(crate) const fn new(matcher: Matcher, n_tokens: usize) -> Self {
        Self {
            matcher,
            n_tokens,
            allowed: Vec::new(),
        }
    }

    /// The error of what went wrong, in the words of `said` where there are no better ones.
    fn stopped(&self, said: &str) -> Error {
        let what = match self.matcher.stop_reason() {
            StopReason::NoExtensionBias | StopReason::NoExtension => {
                "no token of the model goes on with the answer as the grammar has it; check that the grammar \
                 has an end, and needs no characters that the model can't write"
            }
            StopReason::LexerTooComplex | StopReason::ParserTooComplex => {
                "the grammar is too complex to be followed here; give it fewer alternatives, smaller repetitions, or simpler \
                 expressions"
            }
            _ => return Error::internal(format!("a grammar: {said}")),
        };
        Error::invalid_request("grammar", format!("{what} ({said})"))
    }
}

impl Guide for Following {
    fn allowed(&mut self) -> Result<&[u32]> {
        let mask = self.matcher.compute_mask_or_eos();
        let mask = mask.map_err(|error| self.stopped(&error.to_string()))?;
        self.allowed.clear();
        self.allowed.extend_from_slice(mask.as_slice());
        self.allowed.resize(self.n_tokens.div_ceil(32), 0);
        Ok(&self.allowed)
    }

    fn accept(&mut self, id: u32) -> Result<bool> {
        let accepted = self.matcher.consume_token(id);
        accepted.map_err(|error| self.stopped(&error.to_string()))?;
        if !self.matcher.is_stopped() {
            return Ok(false);
        }
        match self.matcher.stop_reason().is_ok() {
            true => Ok(true),
            false => Err(self.stopped("stopped")),
        }
    }

    fn forced(&mut self) -> Result<Vec<u8>> {
        let forced = self.matcher.compute_ff_bytes();
        match self.matcher.get_error() {
            Some(error) => Err(self.stopped(&error)),
            None => Ok(forced),
        }
    }
}
