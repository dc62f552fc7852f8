//! `Q5_1`: `w = d·q + m`, q of 5 bits.
//! The file's layout is in `puna_core::quant`, `q5_1`.

use super::bytes::Bytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::scale::F16;
use super::unpack::{f16_at, nibbles, u32_at, with_highs};

#[derive(Debug)]
pub(super) enum Q51 {}

impl Kind for Q51 {
    type Block = Run<Bytes, F16, 1, 1>;

    fn integers(block: &[u8], _run: usize) -> Integers {
        // d f16, m f16, 32 highest bits, byte i of 16 holds the low bits of q[i] and q[i + 16].
        let q = with_highs(nibbles(&block[8..24]), u32_at(block, 4));
        Integers::whole(q, f16_at(block, 0), f16_at(block, 2))
    }
}
