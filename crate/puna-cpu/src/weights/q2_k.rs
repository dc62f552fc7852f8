//! `Q2_K`: `w = d·scale·q − m·min`, q of 2 bits, scale and min of 4 bits for each 16 weights.
//! The file's layout is in `puna_core::quant`, `q2_k`.

use super::integers::Integers;
use super::interleaved::Kind;
use super::nibbles::Nibbles;
use super::run::Run;
use super::unpack::f16_at;

#[derive(Debug)]
pub(super) enum Q2K {}

impl Kind for Q2K {
    type Block = Run<Nibbles, f32, 2, 2>;

    fn integers(block: &[u8], run: usize) -> Integers {
        // 16 bytes of scale and min, 64 of quants: four runs in a byte, lowest first; d f16, m f16.
        let at = 16 + run / 4 * 32;
        let (d, m) = (f16_at(block, 80), f16_at(block, 82));
        let parts = [0, 1].map(|half| block[run * 2 + half]);
        Integers {
            q: std::array::from_fn(|i| block[at + i] >> (run % 4 * 2) & 3),
            d: parts.map(|part| d * f32::from(part & 15)),
            m: parts.map(|part| -m * f32::from(part >> 4)),
        }
    }
}
