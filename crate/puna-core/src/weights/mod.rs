//! What a model file holds, and which byte ranges to fetch in which order.

pub mod gguf;
pub mod manifest;
pub mod plan;
