//! Q4_1: `w = d·q + m`, q of 4 bits; 24 bytes a block of 32, scales as f32.

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
    /// By row.
    pub m: [f32; GROUP],
    /// Four bytes of the file for each row, then the next four: `q[g][4·row + i]` holds q[4g + i] and
    /// q[4g + i + 16] of the row.
    pub q: [[u8; 4 * GROUP]; 4],
}

const _: () = assert!(size_of::<Block>() == 192);

impl interleaved::Block for Block {
    // d f16, m f16, byte i of 16 holds q[i] and q[i + 16].
    const FILE_BYTES: usize = 20;

    fn put(&mut self, lane: usize, raw: &[u8]) {
        self.d[lane] = f16::from_le_bytes([raw[0], raw[1]]).to_f32();
        self.m[lane] = f16::from_le_bytes([raw[2], raw[3]]).to_f32();
        for (quants, raw) in self.q.iter_mut().zip(raw[4..].as_chunks::<4>().0) {
            quants[4 * lane..4 * lane + 4].copy_from_slice(raw);
        }
    }

    fn row(&self, lane: usize, out: &mut [f32; BLOCK_LEN]) {
        let (d, m) = (self.d[lane], self.m[lane]);
        for i in 0..16 {
            let byte = self.q[i / 4][4 * lane + i % 4];
            out[i] = d * f32::from(byte & 15) + m;
            out[i + 16] = d * f32::from(byte >> 4) + m;
        }
    }

    fn dot(simd: Simd, blocks: &[Self], x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]) {
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2(token) => crate::simd::avx2::q4_1(token, blocks, x, out),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Simd::Wasm => crate::simd::wasm::q4_1(blocks, x, out),
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
                for (lane, bytes) in quants.as_chunks::<4>().0.iter().enumerate() {
                    for (i, byte) in bytes.iter().enumerate() {
                        let x = &x.quants[b];
                        dots[0][lane] += i32::from(byte & 15) * i32::from(x[4 * g + i]);
                        dots[1][lane] += i32::from(byte >> 4) * i32::from(x[4 * g + i + 16]);
                    }
                }
            }
            for lane in 0..GROUP {
                // At most 16 · 15 · 127: exact.
                let [first, second] = x.scales[b];
                let dot = first * dots[0][lane] as f32 + second * dots[1][lane] as f32;
                sums[lane] += block.d[lane] * dot + block.m[lane] * x.sums[b];
            }
        }
        *out = sums;
    }
}
