//! What the engine says to the module, which has a memory of its own, and what it answers. One answer at a time is followed.

use puna_core::grammar::Grammar;
use serde::{Deserialize, Serialize};

use crate::Vocabulary;

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Once, first: gets to know the model's tokens.
    Open(Vocabulary),
    /// An answer begins that this holds.
    Begin(Box<Grammar>),
    /// What may come next.
    Allowed,
    /// What must come next.
    Forced,
    /// This came next.
    Accept(u32),
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
pub enum Response {
    /// Done.
    Done,
    /// A bit a token, so many words at that address.
    Allowed {
        /// Address of the first.
        at: u32,
        /// How many.
        len: u32,
    },
    /// Bytes of UTF-8.
    Forced(Vec<u8>),
    /// Whether the answer is complete.
    Accepted {
        /// Nothing may follow.
        is_complete: bool,
    },
    /// Refused: JSON of the error.
    Failed(String),
}
