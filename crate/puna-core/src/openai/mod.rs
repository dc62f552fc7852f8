//! The wire types: a body of `POST /v1/chat/completions` or `/v1/completions` in, chunks and completions out; one of
//! `POST /v1/responses` in, a response or its events out; one of `POST /v1/embeddings` in, vectors out.
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

mod beginning;
mod chat;
mod completion;
mod embeddings;
mod extension;
pub(crate) mod field;
mod format;
mod input;
mod message;
mod options;
mod respond;
mod response;
mod responses;
mod route;
#[cfg(test)]
pub(crate) mod tests;
mod text;
mod tokens;
mod tools;

pub use beginning::Beginning;
pub use chat::ChatRequest;
pub use completion::CompletionRequest;
pub use embeddings::EmbeddingsRequest;
pub use extension::{READ as EXTENSIONS, read_adapters};
pub(crate) use format::schema;
pub use options::Options;
pub use respond::Respond;
pub use response::Responder;
pub use responses::{ResponsesRequest, ResponsesResponder};
pub use route::{ROUTES, Route};
pub use text::{Choice, TextRequest, shown_marks};
pub use tokens::{ScoreRequest, TokensRequest, text_of, told};
pub(crate) use tools::{ToolChoice, Tools};
