//! Q8_0: `w = d·q`, q a signed byte; 36 bytes a block of 32, the scale as f32.

use bytemuck::{Pod, Zeroable};
use half::f16;
use puna_core::quant::BLOCK_LEN;

use super::{GROUP, TILE, by_tokens, interleaved};
use crate::activation::Row;
use crate::simd::Simd;

/// One block of each of eight rows.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct Block {
    /// By row.
    pub d: [f32; GROUP],
    /// Four quants of each row, then the next four: `q[g][4·row + i]` is q[4g + i] of the row.
    pub q: [[i8; 4 * GROUP]; 8],
}

const _: () = assert!(size_of::<Block>() == 288);

impl interleaved::Block for Block {
    // d f16, 32 bytes of quants.
    const FILE_BYTES: usize = 34;

    fn put(&mut self, lane: usize, raw: &[u8]) {
        self.d[lane] = f16::from_le_bytes([raw[0], raw[1]]).to_f32();
        for (quants, raw) in self.q.iter_mut().zip(raw[2..].as_chunks::<4>().0) {
            // -128 is no value that quantising gives; kernels need magnitudes of 7 bits.
            let raw = raw.map(|q| q.cast_signed().max(-127));
            quants[4 * lane..4 * lane + 4].copy_from_slice(&raw);
        }
    }

    fn row(&self, lane: usize, out: &mut [f32; BLOCK_LEN]) {
        for (i, out) in out.iter_mut().enumerate() {
            *out = self.d[lane] * f32::from(self.q[i / 4][4 * lane + i % 4]);
        }
    }

    fn dot(simd: Simd, blocks: &[Self], x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2(token) => crate::simd::avx2::q8_0(token, blocks, x, out),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Simd::Wasm => crate::simd::wasm::q8_0(blocks, x, out),
            Simd::Portable => by_tokens!(dot, blocks, x, out),
        }
    }
}

/// Plain loops: the truth that the others are held to, and what runs where there is no SIMD.
fn dot<const T: usize>(blocks: &[Block], x: [Row<'_>; T], out: &mut [[f32; GROUP]; TILE]) {
    for (x, out) in x.iter().zip(out) {
        let mut sums = [0.0f32; GROUP];
        for (b, block) in blocks.iter().enumerate() {
            let mut dots = [[0i32; GROUP]; 2];
            for (g, quants) in block.q.iter().enumerate() {
                for (lane, quants) in quants.as_chunks::<4>().0.iter().enumerate() {
                    for (i, q) in quants.iter().enumerate() {
                        dots[g / 4][lane] += i32::from(*q) * i32::from(x.quants[b][4 * g + i]);
                    }
                }
            }
            for lane in 0..GROUP {
                // At most 16 · 127 · 127: exact.
                let [first, second] = x.scales[b];
                let dot = first * dots[0][lane] as f32 + second * dots[1][lane] as f32;
                sums[lane] += block.d[lane] * dot;
            }
        }
        *out = sums;
    }
}
