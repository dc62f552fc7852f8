//! Scales as kernels hold them: in 16 bits where the file's are, so that a matrix takes no more memory than in the
//! file; in 32 where they are products.

use std::fmt::Debug;

use bytemuck::{Pod, Zeroable};
use half::f16;

use super::GROUP;
use super::integers::Integers;

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

/// Those of a run of each of eight rows: H a run, 1 or 2 (of its halves), and M of their offsets, H or none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Zeroable)]
pub struct Scales<S, const H: usize, const M: usize> {
    /// By half and row.
    pub d: [Eight<S>; H],
    /// By half and row.
    pub m: [Eight<S>; M],
}

impl<S: Scale, const H: usize, const M: usize> Scales<S, H, M> {
    /// Takes row `lane`'s.
    pub(super) fn put(&mut self, lane: usize, run: &Integers) {
        for (d, from) in self.d.iter_mut().zip(run.d) {
            d[lane] = S::new(from);
        }
        for (m, from) in self.m.iter_mut().zip(run.m) {
            m[lane] = S::new(from);
        }
    }

    /// d and m of each half of row `lane`.
    pub(super) fn row(&self, lane: usize, offset: f32) -> [(f32, f32); 2] {
        [0, 1].map(|half| {
            let d = self.d[half.min(H - 1)][lane].float();
            let m = match M {
                0 => offset * d,
                _ => self.m[half.min(M - 1)][lane].float(),
            };
            (d, m)
        })
    }
}
