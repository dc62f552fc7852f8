//! `MXFP4`: `w = 2^(e − 127)·value[q]`, q of 4 bits.
//! The file's layout is in `puna_core::quant`, `mxfp4`.

use super::bytes::SignedBytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::unpack::levels;

/// Twice the values.
const VALUES: [i8; 16] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

#[derive(Debug)]
pub(super) enum Mxfp4 {}

impl Kind for Mxfp4 {
    type Block = Run<SignedBytes, f32, 1, 0>;

    fn integers(block: &[u8], _run: usize) -> Integers {
        // e, a byte; byte i of 16 holds q[i] and q[i + 16].
        let half = f32::from_bits(match block[0] {
            e @ (0 | 1) => 0x0020_0000 << e,
            e => u32::from(e - 1) << 23,
        });
        Integers::whole(levels(&block[1..17], &VALUES), half, 0.0)
    }
}
