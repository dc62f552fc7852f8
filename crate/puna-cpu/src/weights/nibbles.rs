//! Weights of at most 4 bits: two in a byte.

use bytemuck::Zeroable;
use puna_core::quant::BLOCK_LEN;

use super::integers::Integers;
use super::scale::{Eight, Scale};
use super::{GROUP, TILE, by_tokens, interleaved};
use crate::activation::Row;
use crate::simd::Simd;

/// One run of each of eight rows: with H scales a run, 1 or 2, and M of their offsets, H or none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Zeroable)]
pub struct Nibbles<S, const H: usize, const M: usize> {
    /// By half and row.
    pub d: [Eight<S>; H],
    /// By half and row.
    pub m: [Eight<S>; M],
    /// Four bytes for each row, then the next four: `q[g][4·row + i]` holds q[4g + i] and, above it, q[4g + i + 16]
    /// of the row.
    pub q: [[u8; 4 * GROUP]; 4],
}

impl<S: Scale, const H: usize, const M: usize> Nibbles<S, H, M> {
    /// d and m of a half of row `lane`.
    fn scales(&self, half: usize, lane: usize, offset: f32) -> (f32, f32) {
        let d = self.d[half.min(H - 1)][lane].float();
        let m = match M {
            0 => offset * d,
            _ => self.m[half.min(M - 1)][lane].float(),
        };
        (d, m)
    }
}

impl<S: Scale, const H: usize, const M: usize> interleaved::Block for Nibbles<S, H, M> {
    fn put(&mut self, lane: usize, run: &Integers) {
        for (d, from) in self.d.iter_mut().zip(run.d) {
            d[lane] = S::new(from);
        }
        for (m, from) in self.m.iter_mut().zip(run.m) {
            m[lane] = S::new(from);
        }
        for (g, quants) in self.q.iter_mut().enumerate() {
            for i in 0..4 {
                quants[4 * lane + i] = run.q[4 * g + i] | run.q[4 * g + i + 16] << 4;
            }
        }
    }

    fn row(&self, lane: usize, offset: f32, out: &mut [f32; BLOCK_LEN]) {
        for (i, out) in out.iter_mut().enumerate() {
            let (d, m) = self.scales(i / 16, lane, offset);
            let byte = self.q[i % 16 / 4][4 * lane + i % 4];
            let q = byte >> (i / 16 * 4) & 15;
            *out = d * f32::from(q) + m;
        }
    }

    fn dot(
        simd: Simd,
        blocks: &[Self],
        offset: f32,
        x: &[Row<'_>],
        out: &mut [[f32; GROUP]; TILE],
    ) {
        match simd {
            #[cfg(target_arch = "x86_64")]
            Simd::Avx2(token) => crate::simd::avx2::nibbles(token, blocks, offset, x, out),
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Simd::Wasm(sums) => crate::simd::wasm::dot(sums, blocks, offset, x, out),
            Simd::Portable => by_tokens!(dot, blocks, offset, x, out),
        }
    }
}

/// Plain loops: the truth that the others are held to, and what runs where there is no SIMD.
fn dot<const T: usize, S: Scale, const H: usize, const M: usize>(
    blocks: &[Nibbles<S, H, M>],
    offset: f32,
    x: [Row<'_>; T],
    out: &mut [[f32; GROUP]; TILE],
) {
    for (x, out) in x.iter().zip(out) {
        let mut sums = [0.0f32; GROUP];
        for (b, block) in blocks.iter().enumerate() {
            let mut dots = [[0i32; GROUP]; 2];
            for (g, quants) in block.q.iter().enumerate() {
                for (lane, bytes) in quants.as_chunks::<4>().0.iter().enumerate() {
                    for (i, byte) in bytes.iter().enumerate() {
                        let x = &x.blocks[b].quants;
                        dots[0][lane] += i32::from(byte & 15) * i32::from(x[4 * g + i]);
                        dots[1][lane] += i32::from(byte >> 4) * i32::from(x[4 * g + i + 16]);
                    }
                }
            }
            for lane in 0..GROUP {
                for (half, dots) in dots.iter().enumerate() {
                    // At most 16 · 127 · 127: exact.
                    let (d, m) = block.scales(half, lane, offset);
                    let dot = x.blocks[b].scales[half] * dots[lane] as f32;
                    sums[lane] += d * dot + m * x.blocks[b].sums[half];
                }
            }
        }
        *out = sums;
    }
}
