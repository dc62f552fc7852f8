//! The wire types: a body of `POST /v1/chat/completions` in, chunks and completions out; one of `POST /v1/embeddings` in,
//! vectors out.
//!
//! A small part of OpenAI's API, exactly: what is not supported is refused by name, in the words that
//! OpenAI's server uses where it has some. Ids and times come from outside.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod embeddings;
mod field;
mod message;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use embeddings::EmbeddingsRequest;
pub use request::ChatRequest;
pub use response::{Responder, error_body};
