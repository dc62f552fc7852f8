//! (being written)
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod abort;

mod cache_index;
mod digest;
mod fetch;
mod http;
pub mod js_error;
mod lanes;
pub mod loader;
pub mod progress;
mod source;
pub mod store;
