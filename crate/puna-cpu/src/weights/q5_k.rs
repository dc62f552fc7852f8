//! `Q5_K`: `w = d·scale·q − m·min`, q of 5 bits, scale and min of 6 bits for each 32 weights.
//! The file's layout is in `puna_core::quant`, `q5_k`.

use super::bytes::Bytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::unpack::{f16_at, scale_and_min};

#[derive(Debug)]
pub(super) enum Q5K {}

impl Kind for Q5K {
    type Block = Run<Bytes, f32, 1, 1>;

    fn integers(block: &[u8], run: usize) -> Integers {
        // d f16, m f16, 12 bytes of scales and mins; bit `run` of 32 bytes is the highest of q; 128 bytes hold the low
        // bits: two runs in a byte, the even one lower.
        let (scale, min) = scale_and_min(&block[4..16], run);
        let at = 48 + run / 2 * 32;
        let q = std::array::from_fn(|i| {
            block[at + i] >> (run % 2 * 4) & 15 | (block[16 + i] >> run & 1) << 4
        });
        Integers::whole(q, f16_at(block, 0) * scale, -f16_at(block, 2) * min)
    }
}
