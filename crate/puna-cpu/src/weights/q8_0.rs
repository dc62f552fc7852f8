//! `Q8_0`: `w = d·q`, q a signed byte.
//! The file's layout is in `puna_core::quant`, `q8_0`.

use super::bytes::SignedBytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::scale::F16;
use super::unpack::f16_at;

#[derive(Debug)]
pub(super) enum Q80 {}

impl Kind for Q80 {
    type Block = Run<SignedBytes, F16, 1, 0>;

    fn integers(block: &[u8], _run: usize) -> Integers {
        // d f16, 32 bytes. -128 is no value that quantising gives; kernels need magnitudes of 7 bits.
        let q = std::array::from_fn(|i| block[2 + i].cast_signed().max(-127).cast_unsigned());
        Integers::whole(q, f16_at(block, 0), 0.0)
    }
}
