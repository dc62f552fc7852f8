//! Tests of this room, and a builder of headers for them.

mod ggml_type;
mod gguf;
mod manifest;
mod plan;
mod split;

use crate::random::Random;

pub(crate) use super::writer::{Writer, string};

/// Random numbers of any size.
pub(super) struct Numbers(Random);

impl Numbers {
    pub(super) fn new(seed: u64) -> Self {
        Self(Random(seed))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0.long()
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
