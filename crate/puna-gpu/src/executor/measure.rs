//! Single dispatches, run again and again: for measurements.

use std::ops::Range;

use puna_core::Result;

use super::Executor;
use crate::kernel::{Slot, Step};
use crate::program::Dispatch;
use crate::tape::{Tape, Work};

/// A dispatch of a step.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Op and matrix.
    pub label: String,
    /// Bytes of the weights that it reads.
    pub weight_bytes: u64,
    /// Bytes of the KV cache that it reads.
    pub cache_bytes: u64,
    /// Products that it adds up.
    pub products: u64,
    /// The way that it goes, of those that it could.
    pub way: String,
}

impl Executor {
    /// The dispatches of a step of `tokens` tokens at `position`.
    #[must_use]
    pub fn kernels(&self, position: usize, tokens: usize) -> Vec<Kernel> {
        let bytes = |slot: &Slot| match *slot {
            Slot::Plane {
                matrix,
                part,
                plane,
            } => self.memory.matrices[matrix][part].planes[plane].1,
            _ => 0,
        };
        let kv = self.graph.kv;
        // Token t sees the keys of `position` + t + 1 positions.
        let seen = tokens * position + tokens * (tokens + 1) / 2;
        let kernel = |dispatch: &Dispatch| {
            let recipe = &dispatch.recipe;
            let reads_cache = recipe.slots.iter().any(|slot| matches!(slot, Slot::KvX(_)));
            let wanted = if recipe.variant.kernel == "head" {
                1
            } else {
                tokens
            };
            let heads = recipe
                .variant
                .constants
                .iter()
                .find(|(name, _)| *name == "HEADS");
            let heads = heads.map_or(0, |&(_, heads)| heads as usize);
            let products = match recipe.job {
                Some(job) => job.rows * job.cols * wanted,
                None if reads_cache => 2 * heads * kv.head_dim * seen,
                None => 0,
            };
            let cache = if reads_cache {
                2 * kv.heads * (position + tokens)
            } else {
                0
            };
            Kernel {
                label: recipe.label.clone(),
                weight_bytes: match recipe.job {
                    Some(_) => recipe.slots.iter().map(bytes).sum(),
                    None => 0,
                },
                cache_bytes: cache as u64 * self.options.kv.row_bytes(kv.head_dim),
                products: products as u64,
                way: recipe.job.map_or_else(String::new, |job| {
                    self.choices.way(&job, &self.ways(&job)).to_string()
                }),
            }
        };
        let step = Step::new(&position.into(), tokens, 0, 1);
        let done = self
            .dispatches(&step)
            .filter(|dispatch| dispatch.work(&step).is_any());
        done.map(kernel).collect()
    }

    /// How long the host takes to record and submit a step of one token at `position`, the sampler's part with it; the
    /// mean of `steps`, ms.
    ///
    /// # Errors
    /// As [`Executor::forward`].
    pub async fn encode_ms(&mut self, position: usize, steps: usize) -> Result<f64> {
        self.run_ahead.start(&[0]);
        let step = self.begin(&position.into(), &[1], 1).await?;
        let start = (self.clock)();
        let mut tape = Tape::new(&self.gpu, usize::MAX);
        for _ in 0..steps {
            tape.play(self.step(&step).chain(self.sampler.work(1)));
        }
        tape.end(&self.readback, &self.memory.logits, 4);
        let ms = (self.clock)() - start;
        self.readback.read(&self.gpu, 4, &mut Vec::new()).await?;
        Ok(ms / steps as f64)
    }

    /// Runs some of [`Self::kernels`], all of them `times` times, and waits
    /// for their end. What they compute means nothing afterwards.
    ///
    /// # Errors
    /// As [`Executor::forward`].
    pub async fn repeat(
        &mut self,
        which: Range<usize>,
        position: usize,
        tokens: usize,
        times: usize,
    ) -> Result<()> {
        self.run_ahead.start(&[0]);
        let ids = vec![1; tokens];
        let step = self.begin(&position.into(), &ids, 1).await?;
        let mut tape = Tape::new(&self.gpu, usize::MAX);
        for _ in 0..times {
            let all: Vec<_> = self.step(&step).filter(Work::is_any).collect();
            tape.play(all.get(which.clone()).unwrap_or_default().iter().copied());
        }
        tape.end(&self.readback, &self.memory.logits, 4);
        self.readback.read(&self.gpu, 4, &mut Vec::new()).await
    }
}
