//! Scales as kernels hold them: in 16 bits where the file's are, so that a matrix takes no more memory than in the
//! file; in 32 where they are products.

use std::fmt::Debug;

use bytemuck::{Pod, Zeroable};
use half::f16;

use super::GROUP;

/// How a scale is held.
pub trait Scale: Pod + Debug + Send + Sync {
    /// From a float that it can hold.
    fn new(value: f32) -> Self;

    /// As a float.
    fn float(self) -> f32;
}

/// Bits of a finite f16.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub struct F16(pub u16);

impl Scale for F16 {
    fn new(value: f32) -> Self {
        Self(f16::from_f32(value).to_bits())
    }

    fn float(self) -> f32 {
        crate::cache::float(self.0)
    }
}

impl Scale for f32 {
    fn new(value: f32) -> Self {
        value
    }

    fn float(self) -> f32 {
        self
    }
}

/// One scale of each of eight rows.
pub type Eight<S> = [S; GROUP];
