//! What the engine says to the module, which has a memory of its own, and what it answers. Several answers are followed, each
//! by a number.

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
    /// What may come next in an answer.
    Allowed(u32),
    /// What must come next in it.
    Forced(u32),
    /// This token came next in it.
    Accept(u32, u32),
    /// Nothing more comes in it.
    End(u32),
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
pub enum Response {
    /// Done.
    Done,
    /// The answer's number.
    Begun(u32),
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
