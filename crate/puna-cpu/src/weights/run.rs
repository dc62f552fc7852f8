//! A run of each of eight rows: its quants and its scales.

use std::fmt::Debug;

use bytemuck::Zeroable;
use puna_core::quant::BLOCK_LEN;

use super::integers::Integers;
use super::interleaved::Block;
use super::scale::{Scale, Scales};
use crate::simd::{Dots, Tile};

/// With H scales a row, 1 or 2 (of its halves), and M of their offsets, H or none.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Run<Q, S, const H: usize, const M: usize> {
    /// Of these weights.
    pub scales: Scales<S, H, M>,
    /// 32 of each row.
    pub quants: Q,
}

// SAFETY: zeros are valid in both of its fields.
unsafe impl<Q: Zeroable, S: Scale, const H: usize, const M: usize> Zeroable for Run<Q, S, H, M> {}

/// How the quants of a run of eight rows lie.
pub trait Quants: Dots + Zeroable + Copy + Debug + Send + Sync {
    /// Takes row `lane`'s.
    fn put(&mut self, lane: usize, quants: &[u8; BLOCK_LEN]);

    /// Row `lane`'s.
    fn row(&self, lane: usize) -> [i8; BLOCK_LEN];
}

impl<Q: Quants, S: Scale, const H: usize, const M: usize> Block for Run<Q, S, H, M>
where
    Self: Tile,
{
    fn put(&mut self, lane: usize, run: &Integers) {
        self.scales.put(lane, run);
        self.quants.put(lane, &run.q);
    }

    fn quants(&self, lane: usize) -> [i8; BLOCK_LEN] {
        self.quants.row(lane)
    }

    fn scales(&self, lane: usize, offset: f32) -> [(f32, f32); 2] {
        self.scales.row(lane, offset)
    }
}
