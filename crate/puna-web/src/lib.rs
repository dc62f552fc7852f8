//! The browser's side of Puna: fetch, storage, the loop that drives the engine. The only crate that
//! names `wasm-bindgen`; no arithmetic and no knowledge of models.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod abort;
mod body;
mod cache;
mod cache_index;
#[cfg(feature = "conformance")]
mod conformance;
mod digest;
mod engine;
mod fetch;
mod gpu;
mod http;
pub mod js_error;
mod lanes;
pub mod loader;
mod open;
mod options;
pub mod progress;
mod shards;
mod sink;
mod source;
pub mod store;
mod web_file;

#[cfg(feature = "conformance")]
pub use conformance::run_conformance;
pub use engine::Engine;
