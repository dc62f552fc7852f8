//! `Q4_1`: `w = d·q + m`, q of 4 bits.
//! The file's layout is in `puna_core::quant`, `q4_1`.

use super::integers::Integers;
use super::interleaved::Kind;
use super::nibbles::Nibbles;
use super::run::Run;
use super::scale::F16;
use super::unpack::{f16_at, nibbles};

#[derive(Debug)]
pub(super) enum Q41 {}

impl Kind for Q41 {
    type Block = Run<Nibbles, F16, 1, 1>;

    fn integers(block: &[u8], _run: usize) -> Integers {
        // d f16, m f16, byte i of 16 holds q[i] and q[i + 16].
        Integers::whole(nibbles(&block[4..20]), f16_at(block, 0), f16_at(block, 2))
    }
}
