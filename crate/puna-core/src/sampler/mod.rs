//! Logits to the next token: the reference of every faster sampler.
//!
//! With logits `l`, in this order:
//!
//! 1. **`logit_bias`**: `l[i] += bias[i]` (OpenAI).
//! 2. **`repetition_penalty`** r, for tokens in the prompt or the answer: `l[i] /= r` where positive,
//!    else `l[i] *= r` (Keskar et al., "CTRL", 2019; Hugging Face's `RepetitionPenaltyLogitsProcessor`).
//! 3. **`frequency_penalty`** f and **`presence_penalty`** p, for tokens that are in the answer `n > 0`
//!    times: `l[i] -= n f + p` (OpenAI; the prompt does not count).
//!    Tokens that a [`Guide`](crate::guide::Guide) does not allow then count as the least likely of all.
//! 4. **`temperature`** t: if 0, the token of the largest logit, the first of equals. Else weights
//!    `w[i] = exp((l[i] - max l) / t)`.
//! 5. **`top_k`**, 6. **`top_p`**, 7. **`min_p`**, in the order of Hugging Face's warpers. Tokens are
//!    ranked by logit, equals by id. `top_k` keeps the first k. `top_p` keeps the shortest beginning of
//!    what is left whose weights sum to at least `top_p` of the sum of what is left (Holtzman et al.,
//!    "The curious case of neural text degeneration", 2019). `min_p` keeps `w[i] ≥ min_p`, the largest
//!    weight being 1 (Nguyen et al., "Turning up the heat", 2024). One token always stays.
//! 8. **Draw**: `u` = Philox4x32-10(key = seed, counter = step) / 2^32 ([`philox`]); the tokens that are
//!    left, in the order of their ids, until the sum of weights exceeds `u` times the sum of all.
//!
//! Everything is done in `f64` on weights rounded to `f32`, with an exponential of its own: the same
//! logits and seed give the same token on every platform, and a draw does not depend on earlier draws.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exp;
mod logprobs;
mod params;
pub mod philox;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::mem;

use crate::guide::allows;
use crate::sorted::sorted;
use crate::{Error, Result};

pub use logprobs::LogProbs;
pub use params::SamplingParams;

/// What came of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Draw {
    /// The next token.
    Token(u32),
    /// Nothing: the logit of this token is not a number or infinite.
    Unusable(u32),
}

/// Chooses the tokens of one answer.
#[derive(Clone, Debug)]
pub struct Sampler {
    params: SamplingParams,
    vocab_size: usize,
    /// Tokens of the answer so far: the position in the sequence of random numbers.
    step: u32,
    /// Tokens that penalties apply to, and how often each is in the answer (0: only in the prompt).
    /// Empty if there are no penalties. In order of ids.
    seen: Vec<(u32, u32)>,
    /// Reused between steps.
    candidates: Vec<Candidate>,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    logit: f32,
    /// exp((logit - max) / temperature); the largest is 1.
    weight: f32,
    id: u32,
}

/// An order of candidates. All share one type, and so one copy of what sorts by it.
type Order = fn(&Candidate, &Candidate) -> Ordering;
const BY_RANK: Order = Candidate::rank;
const BY_ID: Order = |a, b| a.id.cmp(&b.id);

impl Candidate {
    /// Likeliest first, equals by id. Logits are finite here.
    fn rank(&self, other: &Self) -> Ordering {
        other
            .logit
            .total_cmp(&self.logit)
            .then(self.id.cmp(&other.id))
    }
}

impl Sampler {
    /// A sampler for one answer of a model with `vocab_size` tokens.
    ///
    /// # Errors
    ///
    /// `invalid_request` naming the field that is out of range.
    pub fn new(params: SamplingParams, vocab_size: usize) -> Result<Self> {
        params.check(vocab_size)?;
        Ok(Self {
            params,
            vocab_size,
            step: 0,
            seen: Vec::new(),
            candidates: Vec::new(),
        })
    }

    /// Its settings.
    #[must_use]
    pub const fn params(&self) -> &SamplingParams {
        &self.params
    }

    /// Tokens that there are; logits beyond them are none.
    #[must_use]
    pub const fn vocab_size(&self) -> usize {
        self.vocab_size
    }

    /// Tokens of the answer so far.
    #[must_use]
    pub const fn step(&self) -> u32 {
        self.step
    }

    /// The tokens that penalties apply to, and how often each is in the answer (0: only in the prompt). None
    /// where there are no penalties.
    pub fn seen(&self) -> impl Iterator<Item = (u32, u32)> {
        self.seen.iter().copied()
    }

    /// Tells it what the prompt is: `repetition_penalty` applies to its tokens too.
    pub fn accept_prompt(&mut self, ids: &[u32]) {
        if params::is_other(self.params.repetition_penalty, 1.0) {
            self.seen.extend(ids.iter().map(|id| (*id, 0)));
            self.seen = sorted(mem::take(&mut self.seen), &Ord::cmp);
            // Of one id the largest count comes last.
            self.seen.dedup_by(|later, first| {
                let is_same = later.0 == first.0;
                if is_same {
                    first.1 = later.1;
                }
                is_same
            });
        }
    }

    /// Tells it that `id` is the answer's next token, whoever chose it.
    pub fn accept(&mut self, id: u32) {
        self.step = self.step.wrapping_add(1);
        if self.params.has_penalties() {
            let at = match self.seen.binary_search_by_key(&id, |(id, _)| *id) {
                Ok(at) => at,
                Err(at) => {
                    self.seen.insert(at, (id, 0));
                    at
                }
            };
            if let Some((_, count)) = self.seen.get_mut(at) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// The next token for `logits` (V,), which it changes: one of those `allowed`, (⌈V / 32⌉,) a bit a token, or of all. Call
    /// [`Self::accept`] with it.
    ///
    /// # Errors
    ///
    /// `internal` if a logit is not a number or infinite, or if there are none.
    pub fn sample(&mut self, logits: &mut [f32], allowed: Option<&[u32]>) -> Result<u32> {
        self.adjust(logits);
        if let Some(allowed) = allowed {
            forbid(logits, allowed);
        }
        let (best, max) = argmax(logits)?;
        if self.params.is_greedy() {
            return Ok(best);
        }
        self.weigh(logits, max);
        let mut by_id = true;
        if let Some(count) = self.top_k() {
            self.candidates.select_nth_unstable_by(count - 1, BY_RANK);
            self.candidates.truncate(count);
            // The sums below must not depend on how the selection left things.
            self.candidates.sort_unstable_by(BY_RANK);
            by_id = false;
        }
        if self.params.top_p < 1.0 {
            let wanted = f64::from(self.params.top_p) * sum(&self.candidates);
            let count = shortest_beginning(&mut self.candidates, wanted);
            self.candidates.truncate(count);
            by_id = false;
        }
        let min_p = self.params.min_p;
        self.candidates
            .retain(|candidate| candidate.weight >= min_p);
        if !by_id {
            self.candidates.sort_unstable_by(BY_ID);
        }
        let random = f64::from(philox::random(self.params.seed, self.step)) / 4_294_967_296.0;
        Ok(draw(&self.candidates, random).unwrap_or(best))
    }

    /// How many tokens `top_k` keeps, if that is fewer than all.
    fn top_k(&self) -> Option<usize> {
        let count = usize::try_from(self.params.top_k).ok()?;
        (1..self.candidates.len()).contains(&count).then_some(count)
    }

    /// Bias and penalties: steps 1 to 3.
    fn adjust(&self, logits: &mut [f32]) {
        let ix = |id: u32| usize::try_from(id).unwrap_or(usize::MAX);
        for (id, bias) in &self.params.logit_bias {
            if let Some(logit) = logits.get_mut(ix(*id)) {
                *logit += bias;
            }
        }
        let SamplingParams {
            repetition_penalty: repetition,
            frequency_penalty: frequency,
            presence_penalty: presence,
            ..
        } = self.params;
        for (id, count) in &self.seen {
            let Some(logit) = logits.get_mut(ix(*id)) else {
                continue;
            };
            *logit = if *logit > 0.0 {
                *logit / repetition
            } else {
                *logit * repetition
            };
            if *count > 0 {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "an answer has far fewer than 2^24 tokens"
                )]
                let count = *count as f32;
                *logit -= count * frequency + presence;
            }
        }
    }

    /// Fills `candidates` with all tokens, in the order of their ids: step 4.
    fn weigh(&mut self, logits: &[f32], max: f32) {
        let (max, temperature) = (f64::from(max), f64::from(self.params.temperature));
        self.candidates.clear();
        self.candidates.extend((0..).zip(logits).map(|(id, logit)| {
            let exponent = (f64::from(*logit) - max) / temperature;
            #[expect(clippy::cast_possible_truncation, reason = "rounded to f32 on purpose")]
            let weight = exp::exp(exponent) as f32;
            Candidate {
                logit: *logit,
                weight,
                id,
            }
        }));
    }
}

/// Below every logit, and finite; the GPU's sampler has the same.
const FORBIDDEN: f32 = -3.0e38;

/// Makes all tokens that are not allowed the least likely, but for logits that are none: those are told of.
fn forbid(logits: &mut [f32], allowed: &[u32]) {
    for (id, logit) in (0..).zip(logits) {
        if logit.is_finite() && !allows(allowed, id) {
            *logit = FORBIDDEN;
        }
    }
}

/// The error of a logit that is not a number or infinite.
pub(crate) fn unusable(id: u32) -> Error {
    Error::internal(format!(
        "the logit of token {id} is no finite number; a kernel or the model's weights are broken"
    ))
}

/// The largest logit and its index, the first of equals.
fn argmax(logits: &[f32]) -> Result<(u32, f32)> {
    let mut best: Option<(u32, f32)> = None;
    for (id, logit) in (0..).zip(logits.iter().copied()) {
        if !logit.is_finite() {
            return Err(unusable(id));
        }
        if best.is_none_or(|(_, max)| logit > max) {
            best = Some((id, logit));
        }
    }
    best.ok_or_else(|| Error::internal("there are no logits to sample from"))
}

fn sum(candidates: &[Candidate]) -> f64 {
    candidates
        .iter()
        .map(|candidate| f64::from(candidate.weight))
        .sum()
}

/// Ranks candidates only as far as needed: how many of the likeliest have `wanted` together, at least
/// one. They are in front afterwards.
fn shortest_beginning(candidates: &mut [Candidate], wanted: f64) -> usize {
    let mut ranked = 0;
    let mut so_far = 0.0;
    let mut size = 64;
    loop {
        let Some(rest) = candidates.get_mut(ranked..).filter(|rest| !rest.is_empty()) else {
            return ranked;
        };
        if size < rest.len() {
            rest.select_nth_unstable_by(size - 1, BY_RANK);
        }
        let size_here = size.min(rest.len());
        let (part, _) = rest.split_at_mut(size_here);
        part.sort_unstable_by(BY_RANK);
        for candidate in part {
            ranked += 1;
            so_far += f64::from(candidate.weight);
            if so_far >= wanted {
                return ranked;
            }
        }
        size = size.saturating_mul(4);
    }
}

/// The first candidate at which the sum of weights exceeds `random`, 0 to 1, of the whole.
fn draw(candidates: &[Candidate], random: f64) -> Option<u32> {
    let target = random * sum(candidates);
    let mut so_far = 0.0;
    let found = candidates.iter().find(|candidate| {
        so_far += f64::from(candidate.weight);
        target < so_far
    });
    found.map(|candidate| candidate.id)
}
