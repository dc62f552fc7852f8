//! `IQ4_NL`: `w = d·level[q]`, q of 4 bits.
//! The file's layout is in `puna_core::quant`, `iq4_nl`.

use super::bytes::SignedBytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::scale::F16;
use super::unpack::{LEVELS, f16_at, levels};

#[derive(Debug)]
pub(super) enum Iq4Nl {}

impl Kind for Iq4Nl {
    type Block = Run<SignedBytes, F16, 1, 0>;

    fn integers(block: &[u8], _run: usize) -> Integers {
        // d f16, byte i of 16 holds q[i] and q[i + 16].
        Integers::whole(levels(&block[2..18], &LEVELS), f16_at(block, 0), 0.0)
    }
}
