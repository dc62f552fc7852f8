//! Answers whose tokens are drawn on the GPU, steps ahead of the question: one, or several side by side.

use puna_core::places::{Place, Places};
use puna_core::sampler::{Draw, Sampler};
use puna_core::{Error, ErrorCode, Result};

use super::Executor;
use crate::device::Counters;
use crate::kernel::Step;
use crate::sampler::{GpuSampler, Shared};
use crate::tape::Tape;

impl Executor {
    /// Begins answers, as many as are to go on side by side: their tokens are drawn as `samplers` would, by [`Self::sample`].
    ///
    /// # Errors
    /// `out_of_memory`; `internal` for more than [`Self::most_together`].
    pub async fn start(&mut self, samplers: &[&Sampler]) -> Result<()> {
        let most = self.most_together().max(1);
        if samplers.is_empty() || samplers.len() > most {
            let count = samplers.len();
            return Err(Error::internal(format!("{count} answers, of {most}")));
        }
        if samplers.len() > self.sampler.seats() {
            let Self {
                gpu,
                graph,
                memory,
                pipelines,
                ..
            } = self;
            let shape = [most, graph.out_width];
            let made = gpu.scoped("the sampler", ErrorCode::ShaderFailed, || {
                GpuSampler::new(gpu, pipelines, Shared::of(memory), shape)
            });
            self.sampler = made.await?;
        }
        let drawn: Vec<_> = samplers.iter().map(|sampler| sampler.step()).collect();
        self.run_ahead.start(&drawn);
        self.sampler.start(&self.gpu, samplers);
        Ok(())
    }

    /// Runs tokens `ids` at these places and draws the next token of each answer from its last one's logits. `ahead` tokens
    /// may be asked for after this one, each with its predecessor as the only id of its answer: steps for them are
    /// submitted before they are asked for, as many as it takes to keep the GPU busy.
    ///
    /// # Errors
    /// As [`Self::forward`]; `internal` when the answers were not begun by [`Self::start`] or their tokens come out of order.
    pub async fn sample(
        &mut self,
        places: impl Into<Places>,
        ids: &[u32],
        ahead: usize,
    ) -> Result<Vec<Draw>> {
        let places = places.into();
        self.gpu.check()?;
        if self.run_ahead.continues(&places, ids) {
            self.follow(&places);
        } else {
            if self.run_ahead.end() > 0 {
                return Err(Error::internal(format!(
                    "sample: {} tokens at {places:?} do not follow the last ones of the answer",
                    ids.len()
                )));
            }
            let step = self.first(&places, ids).await?;
            let mut tape = self.tape(ids.len());
            let sampler = self.sampler.work(self.run_ahead.seats());
            tape.play(self.step(&step).chain(sampler));
            let index = self.end(tape);
            let end = places.end(0, ids.len());
            self.run_ahead.submitted(1, end, index);
        }
        self.run_ahead(&places, ids.len(), ahead).await?;
        let ends: Vec<_> = places.ends(ids.len()).collect();
        self.run_ahead.next(&self.gpu, &ends).await
    }

    /// The next token of each answer, the ended ones among them, as far as steps for them were submitted before: when the answers
    /// `going` have the tokens that were drawn last, each by (seat, position, token). Nothing where there is none.
    ///
    /// # Errors
    /// `device_lost`, `internal`.
    pub async fn rest(&mut self, going: &[(usize, usize, u32)]) -> Result<Option<Vec<Draw>>> {
        self.gpu.check()?;
        match self.run_ahead.has_rest(going) {
            true => self.run_ahead.rest(&self.gpu).await.map(Some),
            false => Ok(None),
        }
    }

    /// The same where only some tokens may be drawn: `allowed` says which for the answer of each seat, (⌈V / 32⌉,) a bit a
    /// token, while the GPU runs `ids`. What [`Self::start`] was told last holds still.
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub async fn sample_among(
        &mut self,
        places: impl Into<Places>,
        ids: &[u32],
        allowed: &mut dyn FnMut(usize) -> Vec<u32>,
    ) -> Result<Vec<Draw>> {
        let places = places.into();
        self.gpu.check()?;
        // One step at a time tells nothing about how many there should be.
        self.run_ahead.pace.pause();
        let step = self.first(&places, ids).await?;
        let mut tape = self.tape(ids.len());
        tape.play(self.step(&step));
        tape.submit();
        let seats = self.run_ahead.seats();
        for seat in 0..seats {
            self.sampler.allow(&self.gpu, seat, &allowed(seat));
        }
        let mut tape = self.tape(1);
        tape.play(self.sampler.work(seats).into_iter());
        let index = self.end(tape);
        let end = places.end(0, ids.len());
        self.run_ahead.submitted(1, end, index);
        let ends: Vec<_> = places.ends(ids.len()).collect();
        self.run_ahead.next(&self.gpu, &ends).await
    }

    /// Makes ready for a step that goes by no other.
    async fn first(&mut self, places: &Places, ids: &[u32]) -> Result<Step> {
        let (given, seats) = (places.conversations().len(), self.run_ahead.seats());
        if given != seats {
            return Err(Error::internal(format!(
                "sample: tokens of {given} answers, where {seats} were begun"
            )));
        }
        self.run_ahead.make_room(&self.gpu).await?;
        self.begin(places, ids, given).await
    }

    /// Submits steps until there are enough, behind those of so many tokens at these places.
    async fn run_ahead(&mut self, places: &Places, tokens: usize, ahead: usize) -> Result<()> {
        let ends: Vec<Place> = (places.conversations().iter().zip(places.ends(tokens)))
            .map(|(place, position)| Place { position, ..*place })
            .collect();
        let Some(first) = ends.first() else {
            return Ok(());
        };
        // A token has no place to be forwarded at beyond the context.
        let last = ends.iter().map(|end| end.position).max().unwrap_or(0);
        let ahead = ahead.min(self.context_length.saturating_sub(last));
        loop {
            let steps = self.run_ahead.room(1 + ahead);
            if steps == 0 {
                return Ok(());
            }
            let from = self.run_ahead.end();
            let behind = from.saturating_sub(first.position);
            let rows = ends.iter().map(|end| end.row() + behind + steps).max();
            match self.reserve(rows.unwrap_or(0)).await {
                // Only what is not needed yet.
                Err(_) if self.run_ahead.outstanding() > 0 => return Ok(()),
                reserved => reserved?,
            }
            let limit = match self.run_ahead.pace.pieces() {
                1 => usize::MAX,
                pieces => {
                    let width = self.split.width(ends.len());
                    self.program_of(width).len().div_ceil(pieces)
                }
            };
            let mut tape = Tape::new(&self.gpu, limit);
            for step in behind..behind + steps {
                // What the sampler will have made of the GPU's own: it decides how many workgroups there are.
                let places: Vec<_> = ends.iter().map(|end| end.later(step)).collect();
                let step = Step::new(&Places::each(&places), ends.len(), 0, ends.len());
                Counters::tick(&self.gpu.counters.steps);
                tape.play(self.step(&step).chain(self.sampler.work(ends.len())));
            }
            let index = self.end(tape);
            self.run_ahead.submitted(steps, from + steps, index);
        }
    }

    /// Submits what is left, and the copy of the tokens that were drawn.
    fn end(&self, tape: Tape<'_>) -> wgpu::SubmissionIndex {
        let bytes = GpuSampler::emitted_bytes(self.run_ahead.seats());
        tape.end(self.run_ahead.slot(), self.sampler.emitted(), bytes)
    }
}
