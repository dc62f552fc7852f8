//! Chunks of prompts: how long they are, and how many are on their way.
//!
//! A chunk is long enough to use the GPU well and short enough that a driver bears it, that an abort is not kept
//! waiting, and that the page can draw in between. How long that is, is measured. Two are in flight: one is computed
//! while the CPU hears of the other's end.

use std::collections::VecDeque;
use std::rc::Rc;

use puna_core::Result;

use crate::device::Gpu;
use crate::readback::{Readback, Request, Tick};
use crate::run_ahead::Clock;

/// Work of a chunk, ms.
const CHUNK_MS: f64 = 100.0;
/// Longest work of a submission that drivers bear, ms.
const LONGEST_MS: f64 = 100.0;
/// Least tokens of a chunk, and what longer ones are multiples of: a tile.
const FEWEST: usize = 32;
/// Tokens of a chunk before anything was measured.
const FIRST: usize = 64;
/// Submissions of a chunk before anything was measured.
const FIRST_PIECES: usize = 6;
/// Most submissions of a chunk.
const MOST_PIECES: usize = 64;
/// Chunks in flight.
const IN_FLIGHT: usize = 2;

/// What is on its way, and what was measured.
pub(crate) struct Chunks {
    slots: Vec<Readback>,
    next_slot: usize,
    flights: VecDeque<Flight>,
    speed: Speed,
    clock: Rc<Clock>,
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chunks")
            .field("flights", &self.flights.len())
            .field("speed", &self.speed)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Flight {
    slot: usize,
    tokens: usize,
    submitted: f64,
    request: Request,
}

impl Chunks {
    /// Bytes that are read back, only to hear of a chunk's end.
    pub(crate) const BYTES: u64 = 4;

    pub(crate) fn new(gpu: &Gpu, tick: Option<&Tick>, clock: Rc<Clock>) -> Self {
        let slot = |_| Readback::new(gpu, Self::BYTES, tick.cloned());
        Self {
            slots: (0..IN_FLIGHT).map(slot).collect(),
            next_slot: 0,
            flights: VecDeque::new(),
            speed: Speed::default(),
            clock,
        }
    }

    /// Tokens of the next chunk, of `most` that the executor takes.
    pub(crate) fn tokens(&self, most: usize) -> usize {
        self.speed.tokens(most)
    }

    /// Dispatches of a submission, for a chunk of `tokens` that has so many.
    pub(crate) fn limit(&self, tokens: usize, dispatches: usize) -> usize {
        dispatches.div_ceil(self.speed.pieces(tokens))
    }

    /// The read-back of the next chunk's end.
    pub(crate) fn slot(&self) -> &Readback {
        &self.slots[self.next_slot]
    }

    /// A chunk was submitted; waits until there is room for another.
    pub(crate) async fn submitted(
        &mut self,
        gpu: &Gpu,
        tokens: usize,
        index: wgpu::SubmissionIndex,
    ) -> Result<()> {
        self.flights.push_back(Flight {
            slot: self.next_slot,
            tokens,
            submitted: (self.clock)(),
            request: self.slots[self.next_slot].request(Self::BYTES, Some(index)),
        });
        self.next_slot = (self.next_slot + 1) % IN_FLIGHT;
        while self.flights.len() >= IN_FLIGHT {
            self.land(gpu).await?;
        }
        Ok(())
    }

    /// Waits for all that is in flight.
    pub(crate) async fn finish(&mut self, gpu: &Gpu) -> Result<()> {
        while !self.flights.is_empty() {
            self.land(gpu).await?;
        }
        Ok(())
    }

    /// Waits for the oldest flight.
    async fn land(&mut self, gpu: &Gpu) -> Result<()> {
        let Some(flight) = self.flights.pop_front() else {
            return Ok(());
        };
        // What was there already tells no time.
        let awaited = !flight.request.is_done(gpu);
        let slot = &self.slots[flight.slot];
        slot.receive(gpu, flight.request, |_| {}).await?;
        let now = (self.clock)();
        self.speed
            .land(flight.tokens, flight.submitted, now, awaited);
        Ok(())
    }
}

/// How long a token of a prompt takes.
#[derive(Debug, Default)]
struct Speed {
    ms_per_token: Option<f64>,
    /// When the last chunk landed, ms.
    landed: f64,
}

impl Speed {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a small range"
    )]
    fn tokens(&self, most: usize) -> usize {
        let tokens = self.ms_per_token.map_or(FIRST as f64, |ms| CHUNK_MS / ms);
        let tiles = tokens.min(most as f64) as usize / FEWEST;
        (tiles * FEWEST).max(FEWEST).min(most)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a small range"
    )]
    fn pieces(&self, tokens: usize) -> usize {
        self.ms_per_token.map_or(FIRST_PIECES, |ms| {
            let pieces = (tokens as f64 * ms / LONGEST_MS).ceil();
            pieces.clamp(1.0, MOST_PIECES as f64) as usize
        })
    }

    /// A chunk landed at `now`, ms. It began when it was submitted, or when the one before it ended.
    fn land(&mut self, tokens: usize, submitted: f64, now: f64, awaited: bool) {
        let ms = now - self.landed.max(submitted);
        self.landed = now;
        // A clock may be coarse, or missing.
        if awaited && ms > 0.0 && tokens >= FEWEST {
            let fresh = ms / tokens as f64;
            let old = self.ms_per_token.unwrap_or(fresh);
            self.ms_per_token = Some(f64::midpoint(old, fresh));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chunks of a prompt on a device that takes `ms` a token, with read-backs `late`, two in flight.
    fn play(ms: f64, late: f64) -> (Vec<usize>, Speed) {
        let mut speed = Speed::default();
        let mut chunks = Vec::new();
        let (mut now, mut gpu) = (5.0, 0.0_f64);
        let mut flights = VecDeque::new();
        for _ in 0..40 {
            let tokens = speed.tokens(256);
            chunks.push(tokens);
            gpu = gpu.max(now) + tokens as f64 * ms;
            flights.push_back((tokens, now, gpu + late));
            if flights.len() == IN_FLIGHT {
                let (tokens, submitted, landing) = flights.pop_front().expect("two");
                let awaited = landing > now;
                now = now.max(landing);
                speed.land(tokens, submitted, now, awaited);
            }
        }
        (chunks, speed)
    }

    #[test]
    fn chunks_grow_as_far_as_the_device_is_fast() {
        for (ms, least, most) in [
            (0.01, 256, 256),
            (0.3, 256, 256),
            (1.0, 64, 100),
            (2.0, 32, 64),
            (60.0, 32, 32),
        ] {
            let (chunks, speed) = play(ms, 2.0);
            let last = chunks[chunks.len() - 1];
            assert!(
                (least..=most).contains(&last),
                "{ms} ms a token: {chunks:?}"
            );
            let piece = last as f64 * ms / speed.pieces(last) as f64;
            assert!(
                piece <= 1.05 * LONGEST_MS,
                "{ms} ms a token: {piece} ms a submission"
            );
        }
    }

    #[test]
    fn late_read_backs_do_not_keep_chunks_short() {
        let (chunks, _) = play(0.1, 100.0);
        assert_eq!(chunks[0], FIRST, "not measured yet");
        assert_eq!(chunks[chunks.len() - 1], 256, "{chunks:?}");
    }

    #[test]
    fn a_clock_that_stands_still_measures_nothing() {
        let mut speed = Speed::default();
        speed.land(64, 0.0, 0.0, true);
        assert_eq!((speed.tokens(256), speed.tokens(20)), (FIRST, 20));
    }

    #[test]
    fn short_rests_of_prompts_measure_nothing() {
        let mut speed = Speed::default();
        speed.land(3, 1.0, 90.0, true);
        assert_eq!(speed.tokens(256), FIRST);
    }
}
