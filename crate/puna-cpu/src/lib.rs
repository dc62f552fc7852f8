//! The CPU executor: runs a [`puna_core::graph::Graph`] by SIMD where there is no GPU, natively and in wasm.
//!
//! Activations are rounded to 8 bits a block of 32 ([`activation`]); weights stay in the file's own blocks,
//! eight rows interleaved so that a vector's lanes are rows ([`weights`]); products are integers. One layout
//! serves every instruction set ([`simd`]), and plain loops over it where there is none. A format without
//! kernels of its own is decoded block by block, so that every format of the registry runs.

pub mod activation;
mod adapters;
#[cfg(all(feature = "self-test", target_feature = "simd128"))]
mod bound;
mod cache;
pub mod executor;
mod kernel;
mod memory;
pub mod pool;
mod scatter;
#[cfg(any(test, feature = "self-test"))]
mod self_test;
pub mod simd;
mod step;
#[cfg(feature = "module")]
mod wasm;
pub mod weights;
pub mod wire;

pub use executor::{Executor, ExecutorOptions, Limits};
pub use puna_core::graph::Wanted;
pub use simd::Simd;
