//! Follows one answer.

use std::rc::Rc;

use llguidance::Matcher;
use puna_core::guide::Guide;
use puna_core::{Error, Result};

use crate::compiler::Tokens;
use crate::digits::Digits;

/// An answer that a grammar holds, so far.
pub struct Following {
    matcher: Matcher,
    tokens: Rc<Tokens>,
    /// The field of the request that it is from.
    param: String,
    /// Where numbers are written, if JSON is.
    digits: Option<Digits>,
    /// (⌈V / 32⌉,), a bit a token.
    allowed: Vec<u32>,
}

impl std::fmt::Debug for Following {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Following({})", self.matcher.stop_reason())
    }
}

impl Following {
    pub(crate) const fn new(
        matcher: Matcher,
        tokens: Rc<Tokens>,
        param: String,
        digits: Option<Digits>,
    ) -> Self {
        Self {
            matcher,
            tokens,
            param,
            digits,
            allowed: Vec::new(),
        }
    }

    /// Allows no token of more digits, if anything else is.
    fn shorten(&mut self, room: usize) {
        let mut shorter = self.allowed.clone();
        for (id, digits) in &self.tokens.digits {
            let word = shorter
                .get_mut(*id as usize / 32)
                .filter(|_| *digits > room);
            if let Some(word) = word {
                *word &= !(1 << (id % 32));
            }
        }
        if shorter.iter().any(|word| *word != 0) {
            self.allowed = shorter;
        }
    }

    /// The error of what went wrong, as `said`. It is told of the grammar: whoever wrote it can do something about it.
    fn stopped(&self, said: &str) -> Error {
        let said = said.trim();
        let what = match said {
            _ if said.contains("NoExtension") => {
                "no token of the model goes on with the answer as the grammar has it; check that the grammar \
                 has an end, and needs no characters that the model can't write"
            }
            _ if said.contains("TooComplex")
                || said.contains("too complex")
                || said.contains("limit") =>
            {
                "the grammar is too complex to be followed here; give it fewer alternatives, smaller repetitions, or simpler \
                 expressions"
            }
            _ => "the answer can't be held to the grammar any more",
        };
        Error::invalid_request(&self.param, format!("{what} ({said})"))
    }
}

impl Guide for Following {
    fn allowed(&mut self) -> Result<&[u32]> {
        let mask = self.matcher.compute_mask_or_eos();
        let mask = mask.map_err(|error| self.stopped(&error.to_string()))?;
        self.allowed.clear();
        self.allowed.extend_from_slice(mask.as_slice());
        self.allowed.resize(self.tokens.count.div_ceil(32), 0);
        if let Some(room) = self.digits.as_ref().and_then(Digits::room) {
            self.shorten(room);
        }
        Ok(&self.allowed)
    }

    fn accept(&mut self, id: u32) -> Result<bool> {
        let accepted = self.matcher.consume_token(id);
        accepted.map_err(|error| self.stopped(&error.to_string()))?;
        if let (Some(digits), Ok(tokens)) = (&mut self.digits, self.matcher.tok_env()) {
            digits.push(tokens.tok_trie().token(id));
        }
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
