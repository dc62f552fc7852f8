//! Weight matrices as the kernels read them: eight rows interleaved, block by block.
//!
//! A format with kernels of its own has a file here and an arm in [`new`]; any other is held as the file has
//! it ([`plain`]).

pub mod interleaved;
mod plain;
pub mod q4_1;
pub mod q8_0;

use std::fmt::Debug;

use puna_core::Result;
use puna_core::quant::{BLOCK_LEN, Format};

use crate::activation::Row;
use crate::simd::Simd;

/// Rows that lie side by side.
pub const GROUP: usize = 8;
/// Tokens that a kernel takes at a time: what a block is decoded for.
pub const TILE: usize = 4;

/// A matrix (R, K); the rows of the last group that are none are zeros.
pub trait Weights: Debug + Send + Sync {
    /// Takes row `row` as the file has it.
    fn put_row(&mut self, row: usize, bytes: &[u8]);

    /// `out[t][i] = W[group · 8 + i] · x[t]`, for at most [`TILE`] rows of activations.
    fn dot(&self, simd: Simd, group: usize, x: &[Row<'_>], out: &mut [[f32; GROUP]; TILE]);

    /// Row `row` as floats, (K,).
    fn row(&self, row: usize, out: &mut [f32]);
}

/// Room for a matrix (rows, cols) of a format; `cols` is a multiple of 32.
///
/// # Errors
/// `out_of_memory`.
pub fn new(format: &'static Format, rows: usize, cols: usize) -> Result<Box<dyn Weights>> {
    Ok(match format.name {
        "q4_1" => Box::new(interleaved::Matrix::<q4_1::Block>::new(rows, cols)?),
        "q8_0" => Box::new(interleaved::Matrix::<q8_0::Block>::new(rows, cols)?),
        _ => Box::new(plain::Matrix::new(format, rows, cols)?),
    })
}

/// Bytes that such a matrix takes.
#[must_use]
pub fn bytes(format: &Format, rows: usize, cols: usize) -> u64 {
    let blocks = rows.div_ceil(GROUP) as u64 * (cols / BLOCK_LEN) as u64;
    match format.name {
        "q4_1" => blocks * size_of::<q4_1::Block>() as u64,
        "q8_0" => blocks * size_of::<q8_0::Block>() as u64,
        _ => rows as u64 * format.row_bytes(cols) as u64,
    }
}

/// Calls a kernel for the number of rows of activations that there are.
macro_rules! by_tokens {
    ($($kernel:ident)::+, $blocks:expr, $x:expr, $out:expr) => {
        match $x {
            [a] => $($kernel)::+::<1>($blocks, [*a], $out),
            [a, b] => $($kernel)::+::<2>($blocks, [*a, *b], $out),
            [a, b, c] => $($kernel)::+::<3>($blocks, [*a, *b, *c], $out),
            [a, b, c, d] => $($kernel)::+::<4>($blocks, [*a, *b, *c, *d], $out),
            _ => {}
        }
    };
}
pub(crate) use by_tokens;
