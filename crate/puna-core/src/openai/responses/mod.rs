//! OpenAI's newer wire: a body of `POST /v1/responses` in, a response or the events of one out.
//!
//! Requests become those of a chat ([`super::ChatRequest`]); what is not supported is refused by name. What is kept of earlier
//! responses is the caller's, who puts it in front of the `input`.

mod items;
mod request;
mod responder;
#[cfg(test)]
mod tests;

pub use request::ResponsesRequest;
pub(super) use request::{IGNORED, READ, UNSUPPORTED};
pub use responder::ResponsesResponder;
