//! Answers whose tokens are drawn on the GPU, steps ahead of the question.

use puna_core::sampler::{Draw, Sampler};
use puna_core::{Error, Result};

use super::Executor;
use crate::device::Counters;
use crate::kernel::{Step, to_u32};
use crate::sampler::GpuSampler;
use crate::tape::Tape;

impl Executor {
    /// Begins an answer: its tokens are drawn as `sampler` would, by [`Self::sample`].
    pub fn start(&mut self, sampler: &Sampler) {
        self.run_ahead.start(sampler.step());
        self.sampler.start(&self.gpu, sampler);
    }

    /// Runs tokens `ids` at `position ..` and draws the next token from the last one's logits. `ahead` tokens may be
    /// asked for after this one, each with its predecessor as the only id: steps for them are submitted before they
    /// are asked for, as many as it takes to keep the GPU busy.
    ///
    /// # Errors
    /// As [`Self::forward`]; `internal` when the answer was not begun by [`Self::start`] or its tokens come out of order.
    pub async fn sample(&mut self, position: usize, ids: &[u32], ahead: usize) -> Result<Draw> {
        self.gpu.check()?;
        let end = position + ids.len();
        if !self.run_ahead.continues(position, ids) {
            if self.run_ahead.end() > 0 {
                return Err(Error::internal(format!(
                    "sample: {} tokens at position {position} do not follow the last one of the answer",
                    ids.len()
                )));
            }
            self.run_ahead.make_room(&self.gpu).await?;
            let step = self.begin(position, ids, 1, self.run_ahead.drawn()).await?;
            let mut tape = self.tape(ids.len());
            tape.play(self.step(&step).chain(self.sampler.work()));
            let index = self.end(tape);
            self.run_ahead.submitted(1, end, index);
        }
        self.run_ahead(end, ahead).await?;
        self.run_ahead.next(&self.gpu, end).await
    }

    /// The same where only some tokens may be drawn: `allowed` says which, (⌈V / 32⌉,) a bit a token, while the GPU runs `ids`.
    /// What [`Self::start`] was told last holds still.
    ///
    /// # Errors
    /// As [`Self::sample`], and those of `allowed`.
    pub async fn sample_among<'a>(
        &mut self,
        position: usize,
        ids: &[u32],
        allowed: impl FnOnce() -> Result<&'a [u32]>,
    ) -> Result<Draw> {
        self.gpu.check()?;
        let end = position + ids.len();
        // One step at a time tells nothing about how many there should be.
        self.run_ahead.pace.pause();
        self.run_ahead.make_room(&self.gpu).await?;
        let step = self.begin(position, ids, 1, self.run_ahead.drawn()).await?;
        let mut tape = self.tape(ids.len());
        tape.play(self.step(&step));
        tape.submit();
        self.sampler.allow(&self.gpu, allowed()?);
        let mut tape = self.tape(1);
        tape.play(self.sampler.work().into_iter());
        let index = self.end(tape);
        self.run_ahead.submitted(1, end, index);
        self.run_ahead.next(&self.gpu, end).await
    }

    /// Submits steps until there are enough. The position `end` is that of the token that is to be handed out.
    async fn run_ahead(&mut self, end: usize, ahead: usize) -> Result<()> {
        // A token has no place to be forwarded at beyond the context.
        let ahead = ahead.min(self.context_length.saturating_sub(end));
        loop {
            let steps = self.run_ahead.room(1 + ahead);
            if steps == 0 {
                return Ok(());
            }
            let from = self.run_ahead.end();
            match self.reserve(self.first_row + from + steps).await {
                // Only what is not needed yet.
                Err(_) if self.run_ahead.outstanding() > 0 => return Ok(()),
                reserved => reserved?,
            }
            let limit = match self.run_ahead.pace.pieces() {
                1 => usize::MAX,
                pieces => self.decode().len().div_ceil(pieces),
            };
            let mut tape = Tape::new(&self.gpu, limit);
            for position in from..from + steps {
                // What the sampler will have made of the GPU's own: it decides how many workgroups there are.
                let step = Step {
                    position: to_u32(position),
                    tokens: 1,
                    ..Step::default()
                };
                Counters::tick(&self.gpu.counters.steps);
                tape.play(self.step(&step).chain(self.sampler.work()));
            }
            let index = self.end(tape);
            self.run_ahead.submitted(steps, from + steps, index);
        }
    }

    /// Submits what is left, and the copy of the tokens that were drawn.
    fn end(&self, tape: Tape<'_>) -> wgpu::SubmissionIndex {
        let bytes = GpuSampler::EMITTED_BYTES;
        tape.end(self.run_ahead.slot(), self.sampler.emitted(), bytes)
    }
}
