//! The platform-free core of Puna: it takes bytes and returns plans.
//!
//! Nothing here touches a device, a network, a file or a clock; there are no threads and no
//! `async`. The rooms, in the order in which a model passes through them:
//!
//! - [`weights`]: what a model file holds and which byte ranges to fetch in which order
//! - [`config`]: the model's shape, from the file's metadata; [`rope`]: how positions turn queries and keys
//! - [`model`] → [`graph`]: an architecture turns its config into a flat list of ops
//! - [`adapter`]: what is added to some of its matrices
//! - [`quant`]: the block formats that weights come in
//! - [`reference`]: every op again as plain loops, the truth that executors are tested against
//! - [`tokenizer`], [`chat`]: text to token ids and back
//! - [`sampler`], [`session`], [`pool`], [`saved`], [`generate`]: the token loop, as a state machine that is asked; [`grammar`], [`guide`]: what an
//!   answer may be; [`score`]: how likely a text is
//! - [`prepared`]: a model without its weights; [`report`]: what a header tells of it
//! - [`embedding`]: vectors of texts
//! - [`openai`], [`anthropic`]: the wire types
//! - [`message`]: what modules say to each other
//! - [`error`]: the closed list of what can go wrong
//!
//! # Shape legend
//!
//! `T` tokens in this call, `S` tokens in the cache, `D` hidden size, `H` query heads, `Hkv` key
//! and value heads, `Dh` head size, `F` feed-forward size, `V` vocabulary, `R` rows and `K`
//! columns of a weight matrix. Shapes are written outermost first, `(R, K)`.
#![forbid(unsafe_code)]

pub mod adapter;
mod angle;
#[cfg(feature = "text")]
pub mod anthropic;
#[cfg(feature = "text")]
mod base64;
#[cfg(feature = "text")]
pub mod chat;
pub mod checkpoint;
pub mod config;
pub mod embedding;
pub mod error;
#[cfg(feature = "text")]
pub mod generate;
pub mod grammar;
pub mod graph;
pub mod guide;
pub mod json;
pub mod message;
pub mod model;
#[cfg(feature = "text")]
pub mod openai;
pub mod places;
pub mod pool;
#[cfg(feature = "text")]
pub mod prepared;
pub mod quant;
pub mod random;
pub mod reference;
#[cfg(feature = "text")]
pub mod report;
pub mod rope;
pub mod sampler;
pub mod saved;
pub mod schedule;
#[cfg(feature = "text")]
pub mod score;
pub mod session;
pub mod sorted;
#[cfg(feature = "text")]
pub mod synthetic;
#[cfg(feature = "text")]
pub mod tokenizer;
pub mod weights;

pub use error::{Error, ErrorCode, Result};
