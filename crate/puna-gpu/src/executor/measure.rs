//! Single dispatches, run again and again: for measurements.

use std::ops::Range;

use puna_core::Result;

use super::Executor;
use crate::kernel::{Slot, Step, to_u32};
use crate::tape::{Tape, Work};

/// A dispatch of a step.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// Op and matrix.
    pub label: String,
    /// Bytes of the weights that it reads.
    pub weight_bytes: u64,
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
        let kernel = |dispatch: &crate::program::Dispatch| Kernel {
            label: dispatch.recipe.label.clone(),
            weight_bytes: if dispatch.recipe.variant.kernel == "embed" {
                0
            } else {
                dispatch.recipe.slots.iter().map(bytes).sum()
            },
        };
        let step = Step {
            position: to_u32(position),
            tokens: to_u32(tokens),
            first_token: to_u32(tokens - 1),
            ..Step::default()
        };
        let done = self
            .dispatches(&step)
            .filter(|dispatch| dispatch.work(&step).is_any());
        done.map(kernel).collect()
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
        self.run_ahead.start(0);
        let ids = vec![1; tokens];
        let step = self.begin(position, &ids, 1, 0).await?;
        let mut tape = Tape::new(&self.gpu, usize::MAX);
        for _ in 0..times {
            let all: Vec<_> = self.step(&step).filter(Work::is_any).collect();
            tape.play(all.get(which.clone()).unwrap_or_default().iter().copied());
        }
        tape.end(&self.readback, &self.memory.logits, 4);
        self.readback.read(&self.gpu, 4, &mut Vec::new()).await
    }
}
