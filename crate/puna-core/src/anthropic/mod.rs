//! Anthropic's wire types: a body of `POST /v1/messages` in, a message or the events of one out.
//!
//! Requests become those of a chat ([`crate::openai::ChatRequest`]); what is not supported is refused by name.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod content;
mod request;
mod response;
#[cfg(test)]
mod tests;

pub use request::{IGNORED, READ, UNSUPPORTED, parse, parse_count};
pub use response::MessageResponder;
