//! A run of weights as integers and scales: what every format with kernels is unpacked to, once, at upload.

use puna_core::quant::BLOCK_LEN;

/// 32 weights of a row: `w[i] = d[i / 16]·q[i] + m[i / 16]`.
#[derive(Clone, Copy, Debug)]
pub struct Integers {
    /// From 0 to what the block holds; for signed blocks the bits of signed bytes.
    pub q: [u8; BLOCK_LEN],
    /// Of each half.
    pub d: [f32; 2],
    /// Of each half; nothing where the format's offset is a multiple of d.
    pub m: [f32; 2],
}

impl Integers {
    /// With the same scale for both halves.
    #[must_use]
    pub const fn whole(q: [u8; BLOCK_LEN], d: f32, m: f32) -> Self {
        Self {
            q,
            d: [d; 2],
            m: [m; 2],
        }
    }
}
