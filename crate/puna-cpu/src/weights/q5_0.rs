//! `Q5_0`: `w = d·(q − 16)`, q of 5 bits.
//! The file's layout is in `puna_core::quant`, `q5_0`.

use super::bytes::Bytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::scale::F16;
use super::unpack::{f16_at, nibbles, u32_at, with_highs};

#[derive(Debug)]
pub(super) enum Q50 {}

impl Kind for Q50 {
    type Block = Run<Bytes, F16, 1, 0>;
    const OFFSET: f32 = -16.0;

    fn integers(block: &[u8], _run: usize) -> Integers {
        // d f16, 32 highest bits, byte i of 16 holds the low bits of q[i] and q[i + 16].
        let q = with_highs(nibbles(&block[6..22]), u32_at(block, 2));
        Integers::whole(q, f16_at(block, 0), 0.0)
    }
}
