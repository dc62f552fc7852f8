//! `Q6_K`: `w = d·scale·(q − 32)`, q of 6 bits, a signed byte as scale for each 16 weights.
//! The file's layout is in `puna_core::quant`, `q6_k`.

use super::bytes::Bytes;
use super::integers::Integers;
use super::interleaved::Kind;
use super::run::Run;
use super::unpack::f16_at;

#[derive(Debug)]
pub(super) enum Q6K {}

impl Kind for Q6K {
    type Block = Run<Bytes, f32, 2, 0>;
    const OFFSET: f32 = -32.0;

    fn integers(block: &[u8], run: usize) -> Integers {
        // 128 bytes of low bits, two runs in a byte; 64 of high bits, four runs in a byte; 16 of scales; d f16.
        let (half, quarter) = (run / 4, run % 4);
        let (low, high) = (half * 64 + quarter % 2 * 32, 128 + half * 32);
        let d = f16_at(block, 208);
        Integers {
            q: std::array::from_fn(|i| {
                block[low + i] >> (quarter / 2 * 4) & 15
                    | (block[high + i] >> (quarter * 2) & 3) << 4
            }),
            d: [0, 1].map(|half| d * f32::from(block[192 + run * 2 + half].cast_signed())),
            m: [0.0; 2],
        }
    }
}
