//! Weight matrices as the kernels read them: eight rows interleaved, block by block.
//!
//! A format with kernels of integers has a file here, which says how its blocks unpack, and a line in [`with_kind`]; it
//! shares the kernels of [`nibbles`] or of [`bytes`]. Any other is held as the file has it ([`plain`]).

pub mod bytes;
pub mod integers;
pub mod interleaved;
mod iq4_nl;
mod iq4_xs;
mod mxfp4;
pub mod nibbles;
mod plain;
mod q2_k;
mod q3_k;
mod q4_0;
mod q4_1;
mod q4_k;
mod q5_0;
mod q5_1;
mod q5_k;
mod q6_k;
mod q8_0;
pub mod run;
pub mod scale;
mod unpack;

use std::fmt;

use puna_core::quant::Format;
use puna_core::{Error, Result};

use crate::activation::Row;
use crate::simd::Simd;

/// Rows that lie side by side.
pub const GROUP: usize = 8;
/// Tokens that a kernel takes at a time: what a block is decoded for.
pub const TILE: usize = 4;

/// A matrix (R, K); the rows of the last group that are none are zeros.
pub trait Weights: Send + Sync {
    /// Takes row `row` as the file has it.
    fn put_row(&mut self, row: usize, bytes: &[u8]);

    /// Takes one weight, of a format whose weights stand alone.
    ///
    /// # Errors
    /// `internal` of another format.
    fn put_value(&mut self, _row: usize, _col: usize, _bytes: &[u8]) -> Result<()> {
        Err(Error::internal("a weight alone, of a matrix of blocks"))
    }

    /// `out[t][i] = W[group · 8 + i] · x[t]`, for at most [`TILE`] rows of activations.
    fn dot(&self, simd: Simd, group: usize, x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]);

    /// Row `row` as floats, (K,).
    fn row(&self, row: usize, out: &mut [f32]);
}

/// No part of the trait: each kind of matrix would bring its own into the wasm, and nobody reads weights.
impl fmt::Debug for dyn Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Weights")
    }
}

/// Evaluates `$kernels` with `$kind` as a format's [`interleaved::Kind`], or `$plain` for a format without one.
macro_rules! with_kind {
    ($format:expr, $kind:ident => $kernels:expr, $plain:expr) => {
        with_kind!(@ $format, $kind, $kernels, $plain;
            "iq4_nl" iq4_nl Iq4Nl, "iq4_xs" iq4_xs Iq4Xs, "mxfp4" mxfp4 Mxfp4, "q2_k" q2_k Q2K, "q3_k" q3_k Q3K, "q4_0" q4_0 Q40, "q4_1" q4_1 Q41, "q4_k" q4_k Q4K, "q5_0" q5_0 Q50,
            "q5_1" q5_1 Q51, "q5_k" q5_k Q5K, "q6_k" q6_k Q6K, "q8_0" q8_0 Q80)
    };
    (@ $format:expr, $kind:ident, $kernels:expr, $plain:expr;
        $($name:literal $file:ident $type:ident),*) => {
        match $format.plain().name {
            $($name => {
                type $kind = $file::$type;
                $kernels
            })*
            _ => $plain,
        }
    };
}

/// Room for a matrix (rows, cols) of a format; `cols` is a multiple of the format's block.
///
/// # Errors
/// `out_of_memory`.
pub fn new(format: &'static Format, rows: usize, cols: usize) -> Result<Box<dyn Weights>> {
    let format = format.plain();
    Ok(with_kind!(format,
        K => Box::new(interleaved::Matrix::<K>::new(format, rows, cols)?),
        Box::new(plain::Matrix::new(format, rows, cols)?)))
}

/// Bytes that such a matrix takes.
#[must_use]
pub fn bytes(format: &Format, rows: usize, cols: usize) -> u64 {
    with_kind!(format,
        K => interleaved::bytes::<K>(rows, cols),
        rows as u64 * format.row_bytes(cols) as u64)
}

/// Whether a format has kernels of integers, and so reads activations that are rounded to 8 bits.
#[must_use]
pub fn has_kernels(format: &Format) -> bool {
    with_kind!(format,
        K => size_of::<K>() == 0,
        false)
}
