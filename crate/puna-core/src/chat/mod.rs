//! Messages to a prompt, by the model's own Jinja template; and what the model says to it, taken apart.
//!
//! The template is part of the model file and as untrusted as the rest of it: it runs with a budget and
//! can reach nothing but the messages. Knows nothing of tokens.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod date;
mod json;
mod message;
mod output;
mod prompt;
mod python;
mod source;
mod syntax;
mod template;
#[cfg(test)]
mod tests;

pub use date::Date;
pub use message::{Message, Role};
pub use output::{Call, Callable, OutputParser, Part, Saying, Style, Warnings, call_id, marks};
pub use prompt::Prompt;
pub use template::ChatTemplate;
