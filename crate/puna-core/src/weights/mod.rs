//! What a model file holds, and which byte ranges to fetch in which order.
//!
//! Everything here reads bytes that somebody else wrote: no number from a file is trusted before it
//! has been compared with the bytes that are really there. Nothing here fetches, stores or uploads.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod foreign;
pub mod ggml_type;
mod gguf;
pub mod header;
pub mod manifest;
pub mod metadata;
mod parsed;
pub mod plan;
mod reader;
pub mod safetensors;
pub mod split;
mod value;
#[cfg_attr(
    not(any(test, feature = "text")),
    expect(dead_code, reason = "files made on the spot need all of it")
)]
pub(crate) mod writer;

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "a test stops at the first surprise"
)]
pub(crate) mod tests;
