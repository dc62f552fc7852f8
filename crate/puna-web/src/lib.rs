//! The browser's side of Puna: fetch, storage, the loop that drives the engine. The only crate that
//! names `wasm-bindgen`; no arithmetic and no knowledge of models.
//!
//! Built natively, what talks to the browser's GPU is left out: that is for the unit tests of the rest.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]
#![cfg_attr(
    not(target_arch = "wasm32"),
    allow(dead_code, reason = "what uses it needs the browser's GPU")
)]

mod abort;
#[cfg(target_arch = "wasm32")]
mod adapters;
mod address;
#[cfg(target_arch = "wasm32")]
mod answers;
mod body;
mod buffer;
mod cache;
mod cache_index;
mod checkpoint;
#[cfg(all(target_arch = "wasm32", feature = "conformance"))]
mod conformance;
#[cfg(target_arch = "wasm32")]
mod conversations;
#[cfg(target_arch = "wasm32")]
mod cpu;
mod digest;
#[cfg(target_arch = "wasm32")]
mod engine;
#[cfg(target_arch = "wasm32")]
mod executor;
mod fetch;
#[cfg(target_arch = "wasm32")]
mod gpu;
#[cfg(target_arch = "wasm32")]
mod grammar;
mod http;
#[cfg(target_arch = "wasm32")]
mod inspect;
pub mod js_error;
mod lanes;
pub mod loader;
mod local_file;
#[cfg(target_arch = "wasm32")]
mod macrotask;
#[cfg(target_arch = "wasm32")]
mod making;
mod open;
mod open_local;
mod options;
mod parts;
mod patience;
mod pieces;
pub mod progress;
mod ranged;
#[cfg(target_arch = "wasm32")]
mod saving;
#[cfg(target_arch = "wasm32")]
mod scoring;
mod shards;
#[cfg(target_arch = "wasm32")]
mod sink;
mod source;
pub mod store;
mod stored;
mod tally;
mod timer;
mod tuning;
mod turns;
#[cfg(target_arch = "wasm32")]
mod unicode;
mod web_file;

#[cfg(all(target_arch = "wasm32", feature = "conformance"))]
pub use conformance::{graphemes, run_conformance, unicode_class};
#[cfg(target_arch = "wasm32")]
pub use engine::Engine;
#[cfg(target_arch = "wasm32")]
pub use gpu::is_software_adapter;
#[cfg(target_arch = "wasm32")]
pub use inspect::inspect_model;
pub use stored::{list_models, remove_model};
