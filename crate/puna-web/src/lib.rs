//! (being written)
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod abort;
mod body;
mod cache;
mod cache_index;
mod digest;
mod fetch;
mod http;
pub mod js_error;
mod lanes;
pub mod loader;
mod open;
pub mod progress;
mod shards;
mod source;
pub mod store;
mod web_file;
