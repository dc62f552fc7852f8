//! Holds an answer to a [`crate::grammar::Grammar`], token by token.

use std::fmt;

use crate::Result;

/// Follows one answer from its beginning.
pub trait Guide: fmt::Debug {
    /// The tokens that may come next, those that end an answer among them where it may end here: (⌈V / 32⌉,), a bit a
    /// token, the lowest first. Never none.
    ///
    /// # Errors
    /// `invalid_request` where the grammar is too complex to go on, or can't be written in the model's tokens.
    fn allowed(&mut self) -> Result<&[u32]>;

    /// Goes on by `id`, a token that was allowed and does not end the answer. Whether the answer is complete, and nothing may
    /// follow.
    ///
    /// # Errors
    /// As above, and for a token that was not allowed.
    fn accept(&mut self, id: u32) -> Result<bool>;

    /// The text that must come next, as far as there is only one: bytes of UTF-8, maybe none.
    ///
    /// # Errors
    /// As above.
    fn forced(&mut self) -> Result<Vec<u8>>;
}

/// Whether a token is among those that are allowed.
#[must_use]
pub fn allows(allowed: &[u32], id: u32) -> bool {
    let word = usize::try_from(id / 32).ok().and_then(|ix| allowed.get(ix));
    word.is_some_and(|word| word >> (id % 32) & 1 == 1)
}
