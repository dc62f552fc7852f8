//! Finds out which way of a projection is the fastest on this device, by trying them.
//!
//! A job at a time, so that whoever has something better to do is not kept waiting. Each way runs on the model's own
//! weights, layer after layer, as in a step: what is in a cache of the GPU would tell nothing. A way whose result
//! differs from that of the first one by more than its arithmetic explains is never taken.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use puna_core::places::Place;
use puna_core::sorted::sorted;
use puna_core::{ErrorCode, Result};

use super::Executor;
use crate::choices::Job;
use crate::device::Gpu;
use crate::kernel::{Slot, Step, to_u32};
use crate::program::Dispatch;
use crate::readback::Readback;
use crate::shader::variant::Precision;
use crate::split::Width;
use crate::tape::Tape;
use crate::way::{RowsSplit, Way};

/// Tokens that ways for many are tried with: whole tiles of all of them.
const TOKENS: usize = 128;
/// Tokens that their results are compared for: more than a tile.
const CHECKED: usize = 70;
/// Layers that are gone through.
const LAYERS: usize = 8;
/// A measurement takes about so long, ms.
const LONG_ENOUGH_MS: f64 = 12.0;
/// Most repetitions of a measurement.
const MOST_TIMES: usize = 256;
/// Measurements of each way, in turns; the shortest one counts.
const ROUNDS: usize = 3;
/// A way must take so much less time than the first one to be taken.
const GAIN: f64 = 0.97;
/// Floats of noise that are written at a time.
const NOISE: usize = 4096;

/// What was found of a job.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// The job.
    pub job: String,
    /// The ways that were tried: name, and ms a projection, or why it is not to be taken.
    pub ways: Vec<(String, std::result::Result<f64, String>)>,
    /// The way that was taken.
    pub chosen: String,
}

/// A way on trial.
struct Trial {
    way: Way,
    dispatches: Vec<Dispatch>,
    /// Shortest time of a projection so far, ms.
    ms: f64,
}

impl Executor {
    /// Jobs whose ways are not measured yet.
    #[must_use]
    pub fn untuned(&self) -> usize {
        let names = self.untuned_jobs().map(|job| job.to_string()).collect();
        let mut names: Vec<String> = sorted(names, &Ord::cmp);
        names.dedup();
        names.len()
    }

    pub(super) fn count_untuned(&self) {
        let count = to_u32(self.untuned());
        self.gpu.counters.untuned.store(count, Ordering::Relaxed);
    }

    fn untuned_jobs(&self) -> impl Iterator<Item = Job> {
        let programs = self.programs.iter().flat_map(|(_, program)| program);
        let jobs = programs.filter_map(|dispatch| dispatch.recipe.job);
        jobs.filter(|job| {
            // Of many tokens' logits one is wanted, and that goes the way of one.
            let is_used = job.kernel != "head" || job.width == Width::One;
            is_used && !self.choices.has(job) && self.ways(job).len() > 1
        })
    }

    pub(super) fn ways(&self, job: &Job) -> Vec<Way> {
        job.ways(self.split, self.options.precision, self.options.rounds)
    }

    /// Measures the ways of one more job and takes the fastest; nothing when all are done, or when `is_wanted` says that
    /// there is something better to do. The first `held` rows of the KV cache stay as they are.
    ///
    /// # Errors
    /// What else the device reports: `out_of_memory`, `device_lost`, `internal`.
    pub async fn tune(
        &mut self,
        held: usize,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Tuned>> {
        self.gpu.check()?;
        let Some(job) = self.untuned_jobs().next() else {
            return Ok(None);
        };
        self.run_ahead.start(&[0]);
        let ways = self.ways(&job);
        let tokens = match job.width {
            Width::One => 1,
            Width::Few | Width::Many => TOKENS.min(self.options.max_tokens),
        };
        if held + tokens > self.most_rows {
            // Nowhere to write to; it stays as it is until there is less.
            return Ok(None);
        }
        self.reserve(held + tokens).await?;
        let mut tuned = Tuned {
            job: job.to_string(),
            ways: Vec::new(),
            chosen: String::new(),
        };
        let Some(mut trials) = self
            .trials(&job, &ways, held, tokens, is_wanted, &mut tuned)
            .await?
        else {
            return Ok(None);
        };
        let step = self.trial_step(held, tokens);
        let done = self.race(&mut trials, &step, is_wanted).await;
        for dispatch in trials.iter().flat_map(|trial| &trial.dispatches) {
            dispatch.params.destroy();
        }
        if done?.is_break() {
            return Ok(None);
        }
        let first = trials[0].ms;
        let mut best = &trials[0];
        for trial in &trials[1..] {
            if trial.ms < best.ms && trial.ms < GAIN * first {
                best = trial;
            }
        }
        tuned.chosen = best.way.to_string();
        self.choices.choose(&job, best.way);
        let measured = trials
            .iter()
            .map(|trial| (trial.way.to_string(), Ok(trial.ms)));
        tuned.ways.extend(measured);
        self.take_choice(&job).await?;
        self.count_untuned();
        Ok(Some(tuned))
    }

    /// The ways that work, the first one first.
    async fn trials(
        &mut self,
        job: &Job,
        ways: &[Way],
        held: usize,
        tokens: usize,
        is_wanted: &dyn Fn() -> bool,
        tuned: &mut Tuned,
    ) -> Result<Option<Vec<Trial>>> {
        let step = self.trial_step(held, tokens.min(CHECKED));
        let mut trials: Vec<Trial> = Vec::new();
        let mut wanted = Vec::new();
        for &way in ways {
            if !is_wanted() {
                return Ok(None);
            }
            let dispatches = match self.trial(job, way).await {
                Ok(dispatches) => dispatches,
                // What this device can't compile is no way, unless it is the first: without that there is no model.
                Err(error) if error.code() == ErrorCode::ShaderFailed && !trials.is_empty() => {
                    tuned.ways.push((way.to_string(), Err(error.to_string())));
                    continue;
                }
                Err(error) => return Err(error),
            };
            let got = self.result(&dispatches[0], &step).await?;
            if trials.is_empty() {
                wanted = got;
            } else if let Some(why) = complaint(&wanted, &got, allowed(ways[0], way)) {
                tuned.ways.push((way.to_string(), Err(why)));
                continue;
            }
            trials.push(Trial {
                way,
                dispatches,
                ms: f64::INFINITY,
            });
        }
        Ok(Some(trials))
    }

    /// A job's dispatches of some layers, in a way.
    async fn trial(&mut self, job: &Job, way: Way) -> Result<Vec<Dispatch>> {
        let mut choices = self.choices.clone();
        choices.choose(job, way);
        let recipes = self.recipes(job.width, choices, false);
        let name = job.to_string();
        let same = |own: &Job| own.to_string() == name;
        let of_job = recipes
            .into_iter()
            .filter(|recipe| recipe.job.as_ref().is_some_and(same))
            .take(LAYERS);
        let Self {
            gpu,
            memory,
            pipelines,
            ..
        } = self;
        let make = || {
            of_job
                .map(|recipe| Dispatch::new(gpu, memory, pipelines, recipe))
                .collect()
        };
        gpu.scoped("another way", ErrorCode::ShaderFailed, make)
            .await
    }

    fn trial_step(&self, held: usize, tokens: usize) -> Step {
        let behind = Place {
            first_row: held,
            position: 0,
        };
        let capacity = self.memory.cache.capacity;
        let step = Step::new(&behind.into(), tokens, capacity, 1);
        let bytes = bytemuck::bytes_of(&step);
        self.gpu.queue.write_buffer(&self.memory.step, 0, bytes);
        step
    }

    /// What a dispatch makes of noise.
    async fn result(&self, dispatch: &Dispatch, step: &Step) -> Result<Vec<f32>> {
        let mut out = &self.memory.logits;
        for slot in &dispatch.recipe.slots {
            match *slot {
                Slot::X(ix) => fill(&self.gpu, &self.memory.activations[ix], 0.0),
                // The sums of squares behind each token are positive.
                Slot::NormedX(ix) => fill(&self.gpu, &self.memory.normed[ix], 1.0),
                Slot::Out(ix) => {
                    out = &self.memory.activations[ix];
                    fill(&self.gpu, out, 0.0);
                }
                _ => {}
            }
        }
        let tokens = match dispatch.recipe.job {
            Some(Job { kernel: "head", .. }) => 1,
            _ => u64::from(step.tokens),
        };
        let rows = out.size() / self.rows_of(out) * tokens;
        let readback = Readback::new(&self.gpu, rows, self.tick.clone());
        let mut tape = Tape::new(&self.gpu, usize::MAX);
        tape.play(std::iter::once(dispatch.work(step)));
        let index = tape.end(&readback, out, rows);
        let request = readback.request(rows, Some(index));
        let mut floats = Vec::new();
        let take = |words: &[[u8; 4]]| {
            floats.extend(words.iter().map(|&word| f32::from_le_bytes(word)));
        };
        readback.receive(&self.gpu, request, take).await?;
        Ok(floats)
    }

    /// Tokens that an output has room for.
    fn rows_of(&self, out: &wgpu::Buffer) -> u64 {
        let tokens = if *out == self.memory.logits {
            self.options.max_logits
        } else {
            self.options.max_tokens
        };
        tokens as u64
    }

    /// Times each way in turns; breaks off when something better is to be done.
    async fn race(
        &self,
        trials: &mut [Trial],
        step: &Step,
        is_wanted: &dyn Fn() -> bool,
    ) -> Result<ControlFlow<()>> {
        let mut times = 1;
        while self.time(&trials[0], step, times).await? < LONG_ENOUGH_MS && times < MOST_TIMES {
            times *= 2;
        }
        for _ in 0..ROUNDS {
            for trial in &mut *trials {
                if !is_wanted() {
                    return Ok(ControlFlow::Break(()));
                }
                let ms = self.time(trial, step, times).await?;
                let projections = times * trial.dispatches.len();
                trial.ms = trial.ms.min(ms / projections as f64);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How long all of a way's dispatches take, `times` times, with a read-back behind them; ms.
    async fn time(&self, trial: &Trial, step: &Step, times: usize) -> Result<f64> {
        let start = (self.clock)();
        let mut tape = Tape::new(&self.gpu, usize::MAX);
        for _ in 0..times {
            tape.play(trial.dispatches.iter().map(|dispatch| dispatch.work(step)));
        }
        tape.end(&self.readback, &self.memory.logits, 4);
        self.readback.read(&self.gpu, 4, &mut Vec::new()).await?;
        Ok((self.clock)() - start)
    }

    /// Has a job's dispatches go the way that was chosen.
    async fn take_choice(&mut self, job: &Job) -> Result<()> {
        let recipes = [false, true].map(|adapted| {
            let choices = self.choices.clone();
            self.recipes(job.width, choices, adapted)
        });
        let name = job.to_string();
        let Self {
            gpu,
            memory,
            pipelines,
            programs,
            adapted_programs,
            ..
        } = self;
        let make = || {
            for (programs, recipes) in [programs, adapted_programs].into_iter().zip(recipes) {
                let of_width = programs.iter_mut().filter(|(width, _)| *width == job.width);
                let dispatches = of_width.flat_map(|(_, program)| program);
                for (old, recipe) in dispatches.zip(recipes) {
                    let same = |own: &Job| own.to_string() == name;
                    if recipe.job.as_ref().is_some_and(same) {
                        old.params.destroy();
                        *old = Dispatch::new(gpu, memory, pipelines, recipe);
                    }
                }
            }
        };
        gpu.scoped("another way", ErrorCode::ShaderFailed, make)
            .await
    }
}

/// Fills a buffer with noise from -1 to 1, or with its absolute values above `least`, in pieces.
fn fill(gpu: &Gpu, buffer: &wgpu::Buffer, least: f32) {
    let mut state = 0x2545_f491_u32;
    let noise = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let x = (state >> 8) as f32 / 8_388_608.0 - 1.0;
        if least > 0.0 { least + x.abs() } else { x }
    });
    let noise: Vec<f32> = noise.take(NOISE).collect();
    let bytes: &[u8] = bytemuck::cast_slice(&noise);
    let mut at = 0;
    while at < buffer.size() {
        let rest = usize::try_from(buffer.size() - at).unwrap_or(usize::MAX);
        let piece = &bytes[..rest.min(bytes.len())];
        gpu.queue.write_buffer(buffer, at, piece);
        at += piece.len() as u64;
    }
}

/// Mean square error, in units of the mean square, that the arithmetic of two ways explains.
fn allowed(first: Way, other: Way) -> f64 {
    let of = |way: Way| -> f64 {
        match (way.rows, way.precision) {
            (RowsSplit::Int8 { .. }, _) => 1e-3,
            (_, Precision::F16) => 1e-4,
            (_, Precision::F32) => 1e-8,
        }
    };
    of(first).max(of(other))
}

/// What is wrong with a result; `None` when it is as good as the wanted one.
fn complaint(wanted: &[f32], got: &[f32], allowed: f64) -> Option<String> {
    let square = |x: f64| x * x;
    let (mut error, mut whole) = (0.0_f64, 0.0_f64);
    for (&want, &got) in wanted.iter().zip(got) {
        if !got.is_finite() && want.is_finite() {
            return Some("a result is not a number".to_owned());
        }
        error += square(f64::from(want) - f64::from(got));
        whole += square(f64::from(want));
    }
    let off = if whole > 0.0 { error / whole } else { error };
    (off.is_nan() || off > allowed)
        .then(|| format!("its mean square error is {off:.1e} of the result, {allowed:.0e} allowed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_result_is_complained_of() {
        let wanted = [1.0, -2.0, 3.0];
        assert_eq!(complaint(&wanted, &wanted, 1e-8), None);
        assert_eq!(complaint(&wanted, &[1.001, -2.0, 3.0], 1e-4), None);
        for bad in [[1.1, -2.0, 3.0], [1.0, 2.0, 3.0], [1.0, f32::NAN, 3.0]] {
            assert!(complaint(&wanted, &bad, 1e-4).is_some(), "{bad:?}");
        }
    }
}
