//! What the KV cache holds: which tokens, at positions 0, 1, 2 and so on.
//!
//! The book-keeping of one cache, not the cache: an executor holds that. Positions from [`Session::len`]
//! on may hold anything; they are written before they are read.

use crate::{Error, ErrorCode, Result};

/// Tokens that a KV cache has room for at first; it doubles.
const FIRST_CAPACITY: usize = 256;

/// Conversations of the whole context that a KV cache may grow to have room for.
pub const CONVERSATIONS: usize = 4;

/// Tokens that a KV cache is to have room for when it must hold `tokens`.
///
/// # Errors
/// `context_length_exceeded` with both numbers.
pub fn grown_capacity(tokens: usize, context_length: usize) -> Result<usize> {
    check_context(tokens, context_length)?;
    Ok(tokens
        .next_power_of_two()
        .max(FIRST_CAPACITY)
        .min(context_length))
}

/// Whether a conversation of so many tokens may be.
///
/// # Errors
/// `context_length_exceeded` with both numbers.
pub fn check_context(tokens: usize, context_length: usize) -> Result<()> {
    if tokens <= context_length {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::ContextLengthExceeded,
        format!("{tokens} tokens do not fit the context of {context_length}"),
    ))
}

/// What becomes of a conversation that nobody goes on with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Retention {
    /// It stays as long as there is room, the last used the longest.
    #[default]
    Usual,
    /// It stays as long as there is any other to be given up.
    Keep,
    /// It is given up at once.
    Drop,
}

/// The tokens of a conversation that a KV cache holds.
#[derive(Clone, Debug)]
pub struct Session {
    /// Tells it from others of the same cache.
    id: u32,
    /// Which of the model's weights its keys and values are of: adapters change them.
    weights: u64,
    /// `tokens[p]` is the token whose keys and values are at position p.
    tokens: Vec<u32>,
    /// Positions that there are: the context length, in tokens.
    capacity: u32,
    retention: Retention,
}

/// How many tokens are in common with the beginning of `prompt`, but for the prompt's last.
pub(crate) fn shared(tokens: &[u32], prompt: &[u32]) -> usize {
    let forwardable = prompt.len().saturating_sub(1);
    let pairs = tokens.iter().zip(prompt).take(forwardable);
    pairs.take_while(|(held, wanted)| held == wanted).count()
}

impl Session {
    /// The book-keeping of an empty cache with room for `capacity` tokens.
    #[must_use]
    pub const fn new(capacity: u32) -> Self {
        Self::numbered(capacity, 0, 0)
    }

    /// The same of one conversation of several.
    #[must_use]
    pub const fn numbered(capacity: u32, id: u32, weights: u64) -> Self {
        Self {
            id,
            weights,
            tokens: Vec::new(),
            capacity,
            retention: Retention::Usual,
        }
    }

    /// What tells it from others, without what it holds.
    #[must_use]
    pub const fn without_tokens(&self) -> Self {
        Self::numbered(self.capacity, self.id, self.weights)
    }

    /// What is to become of it. One that is to be kept stays so while others go on with it: what was to be kept is in it.
    pub fn retain(&mut self, retention: Retention) {
        if self.retention != Retention::Keep || retention == Retention::Drop {
            self.retention = retention;
        }
    }

    /// It need not be kept any more.
    pub(crate) const fn release(&mut self) {
        self.retention = Retention::Usual;
    }

    /// Forgets all but its first tokens, which are to be kept so.
    pub(crate) fn cut(&mut self, tokens: usize, retention: Retention) {
        self.tokens.truncate(tokens);
        self.retention = retention;
    }

    /// What is to become of it.
    #[must_use]
    pub const fn retention(&self) -> Retention {
        self.retention
    }

    /// What tells it from others.
    #[must_use]
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Which weights its keys and values are of.
    #[must_use]
    pub const fn weights(&self) -> u64 {
        self.weights
    }

    /// How many tokens it has in common with the beginning of `prompt`, but for the prompt's last: only forwarding gives
    /// logits.
    #[must_use]
    pub fn shared(&self, prompt: &[u32]) -> usize {
        shared(&self.tokens, prompt)
    }

    /// Tokens in the cache; the next one is forwarded at this position.
    #[must_use]
    pub fn len(&self) -> u32 {
        // `record` lets no more in than `capacity`, a u32.
        u32::try_from(self.tokens.len()).unwrap_or(u32::MAX)
    }

    /// Whether the cache holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Most tokens that the cache can hold.
    #[must_use]
    pub const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// The tokens in the cache, by position.
    #[must_use]
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Keeps what the cache shares with the beginning of `prompt`, forgets the rest, and returns how many
    /// tokens that is: `prompt` is to be forwarded from there on. At least its last token is left to
    /// forward, since only forwarding gives logits.
    pub fn reuse(&mut self, prompt: &[u32]) -> u32 {
        self.tokens.truncate(self.shared(prompt));
        self.len()
    }

    /// Writes down that `ids` have been forwarded, at position [`Self::len`] and on.
    ///
    /// # Errors
    ///
    /// `internal` if that is more than the cache can hold.
    pub fn record(&mut self, ids: &[u32]) -> Result<()> {
        let after = u64::try_from(self.tokens.len().saturating_add(ids.len())).unwrap_or(u64::MAX);
        if after > u64::from(self.capacity) {
            return Err(Error::internal(format!(
                "{} tokens forwarded at position {} of a KV cache of {}",
                ids.len(),
                self.tokens.len(),
                self.capacity
            )));
        }
        self.tokens.extend_from_slice(ids);
        Ok(())
    }

    /// Forgets everything: what the cache holds is no longer known or no longer good.
    pub fn clear(&mut self) {
        self.tokens.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_doubles_up_to_the_context() {
        for (tokens, expected) in [(1, 256), (256, 256), (257, 512), (1000, 1000)] {
            let capacity = grown_capacity(tokens, 1000).unwrap();
            assert_eq!(capacity, expected, "{tokens} tokens");
        }
        let error = grown_capacity(1001, 1000).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ContextLengthExceeded, "{error}");
        assert!(
            error.message().contains("1001") && error.message().contains("1000"),
            "{error}"
        );
    }

    #[track_caller]
    fn reuses(held: &[u32], prompt: &[u32], expected: u32) {
        let mut session = Session::new(8);
        session.record(held).unwrap();
        assert_eq!(session.reuse(prompt), expected, "{held:?} for {prompt:?}");
        assert_eq!(session.len(), expected, "the rest is forgotten");
        assert_eq!(
            session.tokens(),
            &prompt[..expected as usize],
            "what is left"
        );
    }

    #[test]
    fn the_common_beginning_is_kept_and_one_token_left_to_forward() {
        reuses(&[], &[1, 2], 0);
        reuses(&[1, 2, 3], &[1, 2, 3, 4], 3);
        reuses(&[1, 2, 3], &[1, 2, 3], 2);
        reuses(&[1, 2, 3], &[1, 2], 1);
        reuses(&[1, 2, 3], &[1], 0);
        reuses(&[1, 2, 3], &[1, 9, 3, 4], 1);
        reuses(&[1, 2, 3], &[9, 2, 3], 0);
        reuses(&[1, 2, 3], &[], 0);
    }

    #[test]
    fn no_more_is_recorded_than_fits() {
        let mut session = Session::new(3);
        session.record(&[1, 2, 3]).unwrap();
        let error = session.record(&[4]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Internal, "{error}");
        assert_eq!(session.tokens(), [1, 2, 3], "unchanged");
        session.clear();
        assert!(session.is_empty(), "forgotten");
    }
}
