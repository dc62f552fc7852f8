//! `IQ4_XS`: `w = d·(scale − 32)·level[q]`, q of 4 bits, scale of 6 bits for each 32 weights.
//! The file's layout is in `puna_core::quant`, `iq4_xs`.

use super::bytes::SignedBytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::unpack::{LEVELS, f16_at, levels};

#[derive(Debug)]
pub(super) enum Iq4Xs {}

impl Kind for Iq4Xs {
    type Block = Run<SignedBytes, f32, 1, 0>;

    fn integers(block: &[u8], run: usize) -> Integers {
        // d f16; two high bits of four scales in each of 2 bytes, four low bits of two in each of 4; 16 bytes of quants
        // a run, q[i] and q[i + 16] in byte i.
        let low = block[4 + run / 2] >> (run % 2 * 4) & 15;
        let high = block[2 + run / 4] >> (run % 4 * 2) & 3;
        let scale = f32::from(low | high << 4) - 32.0;
        let quants = &block[8 + 16 * run..24 + 16 * run];
        Integers::whole(levels(quants, &LEVELS), f16_at(block, 0) * scale, 0.0)
    }
}
