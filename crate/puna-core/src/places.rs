//! Where the tokens of a call go: one behind the other in one conversation, or one to the end of each of several.

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::session::check_context;

/// Conversations of one call at most: tokens that a projection takes at a time.
pub const MOST_TOGETHER: usize = 8;

/// Where a token of a conversation goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Of the KV cache: where the conversation begins.
    pub first_row: usize,
    /// In the conversation.
    pub position: usize,
}

impl Place {
    /// Row of the KV cache that the token's key is in.
    #[must_use]
    pub const fn row(self) -> usize {
        self.first_row.saturating_add(self.position)
    }

    /// So many tokens later.
    #[must_use]
    pub const fn later(self, tokens: usize) -> Self {
        Self {
            position: self.position.saturating_add(tokens),
            ..self
        }
    }
}

/// Where the tokens of a call go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Places {
    /// To a conversation, from there on.
    From(Place),
    /// Each to a conversation of its own: as many as there are tokens, 2 to [`MOST_TOGETHER`].
    Each(Vec<Place>),
}

impl Places {
    /// A token to each of these.
    #[must_use]
    pub fn each(places: &[Place]) -> Self {
        match places {
            [place] => Self::From(*place),
            places => Self::Each(places.to_vec()),
        }
    }

    /// Where conversations go on, one by one.
    #[must_use]
    pub fn conversations(&self) -> &[Place] {
        match self {
            Self::From(place) => std::slice::from_ref(place),
            Self::Each(places) => places,
        }
    }

    /// Where token `t` goes.
    #[must_use]
    pub fn of(&self, t: usize) -> Place {
        match self {
            Self::From(place) => place.later(t),
            Self::Each(places) => places.get(t).copied().unwrap_or_default(),
        }
    }

    /// Where the conversation of token `t` ends when all tokens are in it.
    #[must_use]
    pub fn end(&self, t: usize, tokens: usize) -> usize {
        match self {
            Self::From(place) => place.position.saturating_add(tokens),
            Self::Each(_) => self.of(t).position.saturating_add(1),
        }
    }

    /// The same of every conversation, one by one.
    pub fn ends(&self, tokens: usize) -> impl Iterator<Item = usize> {
        (0..self.conversations().len()).map(move |t| self.end(t, tokens))
    }

    /// Rows of the KV cache that `tokens` need.
    #[must_use]
    pub fn rows(&self, tokens: usize) -> usize {
        let rows = (0..tokens).map(|t| self.of(t).row().saturating_add(1));
        rows.max().unwrap_or(0)
    }

    /// Whether so many tokens can go there, in a context of so many.
    ///
    /// # Errors
    /// `context_length_exceeded` with both numbers; `internal` where tokens and places do not go together.
    pub fn check(&self, tokens: usize, context_length: usize) -> Result<()> {
        if let Self::Each(places) = self
            && (places.len() != tokens || !(2..=MOST_TOGETHER).contains(&tokens))
        {
            return Err(crate::Error::internal(format!(
                "{tokens} tokens for {} conversations, of which there may be {MOST_TOGETHER}",
                places.len()
            )));
        }
        self.ends(tokens)
            .try_for_each(|end| check_context(end, context_length))
    }
}

/// In the conversation that begins at row 0.
impl From<usize> for Places {
    fn from(position: usize) -> Self {
        Place {
            first_row: 0,
            position,
        }
        .into()
    }
}

impl From<Place> for Places {
    fn from(place: Place) -> Self {
        Self::From(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    const fn place(first_row: usize, position: usize) -> Place {
        Place {
            first_row,
            position,
        }
    }

    #[test]
    fn tokens_of_one_conversation_follow_each_other() {
        let places = Places::from(place(100, 7));
        assert_eq!(places.of(2), place(100, 9));
        assert_eq!(places.end(0, 3), 10, "all of them");
        assert_eq!(places.rows(3), 110);
        assert_eq!(places.rows(0), 0);
        assert_eq!(places.conversations(), [place(100, 7)]);
        assert!(places.check(3, 10).is_ok());
        let code = |checked: Result<()>| checked.unwrap_err().code();
        assert_eq!(code(places.check(4, 10)), ErrorCode::ContextLengthExceeded);
    }

    #[test]
    fn tokens_of_several_go_each_to_its_own() {
        let all = [place(100, 7), place(0, 40), place(300, 0)];
        let places = Places::each(&all);
        assert_eq!(places.of(1), place(0, 40));
        assert_eq!(places.end(1, 3), 41);
        assert_eq!(places.end(2, 3), 1);
        assert_eq!(places.rows(3), 301);
        assert!(places.check(3, 41).is_ok());
        let code = |checked: Result<()>| checked.unwrap_err().code();
        assert_eq!(code(places.check(3, 40)), ErrorCode::ContextLengthExceeded);
        assert_eq!(code(places.check(2, 100)), ErrorCode::Internal);
        let many = Places::Each(vec![place(0, 0); MOST_TOGETHER + 1]);
        assert_eq!(code(many.check(MOST_TOGETHER + 1, 9)), ErrorCode::Internal);
        assert_eq!(Places::each(&all[..1]), Places::from(all[0]), "one alone");
    }
}
