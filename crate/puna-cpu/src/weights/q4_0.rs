//! `Q4_0`: `w = d·(q − 8)`, q of 4 bits.
//! The file's layout is in `puna_core::quant`, `q4_0`.

use super::integers::Integers;
use super::interleaved::Kind;
use super::nibbles::Nibbles;
use super::run::Run;
use super::scale::F16;
use super::unpack::{f16_at, nibbles};

#[derive(Debug)]
pub(super) enum Q40 {}

impl Kind for Q40 {
    type Block = Run<Nibbles, F16, 1, 0>;
    const OFFSET: f32 = -8.0;

    fn integers(block: &[u8], _run: usize) -> Integers {
        // d f16, byte i of 16 holds q[i] and q[i + 16].
        Integers::whole(nibbles(&block[2..18]), f16_at(block, 0), 0.0)
    }
}
