//! A model's tokens, as grammars see them: bytes.

use serde::{Deserialize, Serialize};

/// What each token adds to an answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Bytes of all tokens, one behind the other.
    bytes: Vec<u8>,
    /// Where each token's end.
    ends: Vec<u32>,
    /// Tokens that end an answer.
    end_of_generation: Vec<u32>,
}

impl Vocabulary {
    /// Of tokens in the order of their ids; those that `end_of_generation` lists end an answer, whatever they are written as.
    pub fn new<'t>(tokens: impl Iterator<Item = &'t [u8]>, end_of_generation: &[u32]) -> Self {
        let mut vocabulary = Self {
            end_of_generation: end_of_generation.to_vec(),
            ..Self::default()
        };
        for (id, token) in (0..).zip(tokens) {
            if !end_of_generation.contains(&id) {
                vocabulary.bytes.extend_from_slice(token);
            }
            let end = u32::try_from(vocabulary.bytes.len()).unwrap_or(u32::MAX);
            vocabulary.ends.push(end);
        }
        vocabulary
    }

    /// How many tokens there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The tokens that end an answer.
    #[must_use]
    pub fn end_of_generation(&self) -> &[u32] {
        &self.end_of_generation
    }

    /// Every token's bytes.
    #[must_use]
    pub fn tokens(&self) -> Vec<Vec<u8>> {
        let mut begin = 0;
        let token = |end: &u32| {
            let end = *end as usize;
            let token = self.bytes.get(begin..end).unwrap_or_default().to_vec();
            begin = end;
            token
        };
        self.ends.iter().map(token).collect()
    }
}
