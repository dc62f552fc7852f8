//! `Q3_K`: `w = d·(scale − 32)·(q − 4)`, q of 3 bits, scale of 6 bits for each 16 weights.
//! The file's layout is in `puna_core::quant`, `q3_k`.

use super::integers::Integers;
use super::interleaved::Kind;
use super::nibbles::Nibbles;
use super::run::Run;
use super::unpack::f16_at;

#[derive(Debug)]
pub(super) enum Q3K {}

impl Kind for Q3K {
    type Block = Run<Nibbles, f32, 2, 0>;
    const OFFSET: f32 = -4.0;

    fn integers(block: &[u8], run: usize) -> Integers {
        // Bit `run` of 32 bytes is the highest of q; 64 bytes hold the low bits of four runs each, lowest first;
        // 12 bytes of scales: four low bits of two in each of eight, two high bits of four in each of four; d f16.
        let at = 32 + run / 4 * 32;
        let scales = &block[96..108];
        let d = f16_at(block, 108);
        Integers {
            q: std::array::from_fn(|i| {
                block[at + i] >> (run % 4 * 2) & 3 | (block[i] >> run & 1) << 2
            }),
            d: [0, 1].map(|half| {
                let which = run * 2 + half;
                let low = scales[which % 8] >> (which / 8 * 4) & 15;
                let high = scales[8 + which % 4] >> (which / 4 * 2) & 3;
                d * (f32::from(low | high << 4) - 32.0)
            }),
            m: [0.0; 2],
        }
    }
}
