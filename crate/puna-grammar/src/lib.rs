//! Holds answers to grammars: what compiles a [`puna_core::grammar::Grammar`] and follows answers token by token.
//!
//! The work is llguidance's: an Earley parser over lexemes that are derivatives of expressions, walked along a trie of the
//! vocabulary. In a browser it is a wasm module of its own, which the engine talks to in messages ([`wire`]) and fetches when a
//! request first asks for a grammar; natively it is linked.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

#[cfg(feature = "engine")]
mod blame;
#[cfg(feature = "engine")]
mod compiler;
#[cfg(feature = "engine")]
mod digits;
#[cfg(feature = "engine")]
mod gbnf;
#[cfg(feature = "engine")]
mod guide;
#[cfg(feature = "engine")]
mod lark;
#[cfg(feature = "engine")]
mod schema;
mod vocabulary;
#[cfg(feature = "module")]
mod wasm;
pub mod wire;

#[cfg(feature = "engine")]
pub use compiler::Compiler;
#[cfg(feature = "engine")]
pub use guide::Following;
pub use vocabulary::Vocabulary;
