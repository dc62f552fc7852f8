//! Steps that were submitted before the token of the last one was known.
//!
//! The sampler makes the next step ready by itself, so the GPU needs nothing from the CPU to go on. Whoever asks for
//! tokens one by one gets them one by one; that more are on their way is not seen, and what is left over when
//! nobody asks any more is dropped.

use std::collections::VecDeque;
use std::rc::Rc;

use puna_core::Result;
use puna_core::places::{MOST_TOGETHER, Places};
use puna_core::sampler::Draw;

use crate::device::Gpu;
use crate::kernel::sample::{RING, UNUSABLE};
use crate::kernel::to_u32;
use crate::pace::Pace;
use crate::readback::{Readback, Request, Tick};
use crate::sampler::GpuSampler;

/// Read-backs in flight at most.
const SLOTS: usize = 32;

/// Milliseconds since some point in time.
pub type Clock = Box<dyn Fn() -> f64>;

/// The chain of steps of one answer, or of several side by side.
pub(crate) struct RunAhead {
    slots: Vec<Readback>,
    next_slot: usize,
    flights: VecDeque<Flight>,
    ready: VecDeque<Vec<u32>>,
    /// The tokens that were handed out last, and their positions.
    last: Vec<(usize, u32)>,
    /// Draws of each answer before this chain.
    drawn: Vec<u32>,
    /// Steps that were submitted.
    submitted: u32,
    /// Position behind the last of them, in the first answer.
    end: usize,
    pub(crate) pace: Pace,
    clock: Rc<Clock>,
}

impl std::fmt::Debug for RunAhead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunAhead")
            .field("flights", &self.flights.len())
            .field("ready", &self.ready)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}

/// Draws whose tokens are on their way.
#[derive(Debug)]
struct Flight {
    slot: usize,
    /// Steps of the chain before them.
    first: u32,
    count: u32,
    request: Request,
    /// Somebody still wants them.
    wanted: bool,
}

impl RunAhead {
    pub(crate) fn new(gpu: &Gpu, tick: Option<&Tick>, clock: Rc<Clock>) -> Self {
        let bytes = GpuSampler::emitted_bytes(MOST_TOGETHER);
        let slot = |_| Readback::new(gpu, bytes, tick.cloned());
        Self {
            slots: (0..SLOTS).map(slot).collect(),
            next_slot: 0,
            flights: VecDeque::new(),
            ready: VecDeque::new(),
            last: Vec::new(),
            drawn: vec![0],
            submitted: 0,
            end: 0,
            pace: Pace::default(),
            clock,
        }
    }

    /// Other answers begin, whose samplers have made `drawn` draws; what is in flight is of no use any more.
    pub(crate) fn start(&mut self, drawn: &[u32]) {
        self.flights
            .iter_mut()
            .for_each(|flight| flight.wanted = false);
        self.ready.clear();
        self.last.clear();
        self.drawn = drawn.to_vec();
        self.submitted = 0;
        self.end = 0;
        self.pace.pause();
    }

    /// Whether the step that follows these tokens was submitted already.
    pub(crate) fn continues(&self, places: &Places, ids: &[u32]) -> bool {
        let given = places.conversations().iter().map(|place| place.position);
        let last = self.last.iter().copied();
        ids.len() == self.last.len() && given.zip(ids.iter().copied()).eq(last)
    }

    /// Draws that were submitted, of each answer.
    pub(crate) fn drawn(&self) -> impl Iterator<Item = u32> {
        let drawn = self.drawn.iter();
        drawn.map(|drawn| drawn.wrapping_add(self.submitted))
    }

    /// Answers of the chain.
    pub(crate) const fn seats(&self) -> usize {
        self.drawn.len()
    }

    /// Position behind the last step that was submitted, in the first answer; 0 before there is one.
    pub(crate) const fn end(&self) -> usize {
        self.end
    }

    /// Tokens that nobody was handed yet.
    pub(crate) fn outstanding(&self) -> usize {
        let in_flight = self.flights.iter().filter(|flight| flight.wanted);
        self.ready.len() + in_flight.map(|flight| flight.count as usize).sum::<usize>()
    }

    /// Steps that a submission may have now, so that no more than `most` tokens are outstanding.
    pub(crate) fn room(&self, most: usize) -> usize {
        let outstanding = self.outstanding();
        let steps = self.pace.batch().min(most.saturating_sub(outstanding));
        let in_flight = outstanding - self.ready.len();
        let waits = in_flight > 0 && in_flight + steps > self.pace.depth();
        if waits || self.flights.len() == SLOTS {
            return 0;
        }
        steps
    }

    /// Waits until there is a read-back for the next submission, however many are left from other answers.
    pub(crate) async fn make_room(&mut self, gpu: &Gpu) -> Result<()> {
        while self.flights.len() >= SLOTS {
            self.land(gpu).await?;
        }
        Ok(())
    }

    /// The read-back of the next submission.
    pub(crate) fn slot(&self) -> &Readback {
        &self.slots[self.next_slot]
    }

    /// `steps` were submitted, the last of which ends before position `end`; the slot's copy comes behind them.
    pub(crate) fn submitted(&mut self, steps: usize, end: usize, index: wgpu::SubmissionIndex) {
        let bytes = GpuSampler::emitted_bytes(self.seats());
        let request = self.slots[self.next_slot].request(bytes, Some(index));
        let count = to_u32(steps);
        self.flights.push_back(Flight {
            slot: self.next_slot,
            first: self.submitted,
            count,
            request,
            wanted: true,
        });
        self.next_slot = (self.next_slot + 1) % SLOTS;
        self.submitted = self.submitted.wrapping_add(count);
        self.end = end;
    }

    /// Whether there are draws that nobody was handed, and these (seat, position, token) were handed out last.
    pub(crate) fn has_rest(&self, answers: &[(usize, usize, u32)]) -> bool {
        let last = |&(seat, position, id): &(usize, usize, u32)| {
            self.last.get(seat) == Some(&(position, id))
        };
        self.outstanding() > 0 && !answers.is_empty() && answers.iter().all(last)
    }

    /// The next draw of each answer without more steps, as long as [`Self::has_rest`].
    pub(crate) async fn rest(&mut self, gpu: &Gpu) -> Result<Vec<Draw>> {
        let ends: Vec<_> = self.last.iter().map(|(position, _)| position + 1).collect();
        self.next(gpu, &ends).await
    }

    /// The next draw of each answer, of the tokens at these positions; waited for if need be.
    pub(crate) async fn next(&mut self, gpu: &Gpu, ends: &[usize]) -> Result<Vec<Draw>> {
        while self.ready.is_empty() {
            self.land(gpu).await?;
        }
        let words = self.ready.pop_front().unwrap_or_default();
        self.last = ends.iter().copied().zip(words.iter().copied()).collect();
        let draws = words.into_iter().map(|word| match word & !UNUSABLE {
            id if id == word => Draw::Token(id),
            id => Draw::Unusable(id),
        });
        Ok(draws.collect())
    }

    /// Waits for the oldest flight.
    async fn land(&mut self, gpu: &Gpu) -> Result<()> {
        let Some(flight) = self.flights.pop_front() else {
            return Err(puna_core::Error::internal(
                "sampling: a token was asked for that no step draws",
            ));
        };
        let awaited = !flight.request.is_done(gpu);
        let mut words = Vec::new();
        self.slots[flight.slot]
            .receive(gpu, flight.request, |bytes| {
                words.extend(bytes.iter().map(|&word| u32::from_le_bytes(word)));
            })
            .await?;
        if !flight.wanted {
            return Ok(());
        }
        for step in 0..flight.count {
            let step = flight.first.wrapping_add(step);
            let rings = words.chunks_exact(RING as usize).zip(&self.drawn);
            let drawn = rings.map(|(ring, drawn)| ring[(drawn.wrapping_add(step) % RING) as usize]);
            self.ready.push_back(drawn.collect());
        }
        self.pace
            .land(flight.count as usize, awaited, (self.clock)());
        Ok(())
    }
}
