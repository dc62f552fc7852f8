//! How many steps are in flight, and how many go into a submission.
//!
//! A step needs nothing from the CPU, so steps can be queued before the last one's token is known. With too few of them
//! the GPU waits for the read-back; with too many an answer that ends leaves work behind that nobody wants. What a
//! read-back costs differs by a factor of a thousand between browsers and can't be seen apart from the GPU's own time;
//! what can be seen is whether more steps in flight give more tokens a second. So that is what is tried.

/// Least steps in flight: one runs while the other's token is on its way.
const FEWEST: usize = 2;
/// Most steps in flight.
const MOST: usize = 1024;
/// Most time in flight: what an answer that ends may leave behind, ms.
const MOST_MS: f64 = 400.0;
/// Work of a submission: enough to hide what it costs, little enough to leave room for the page's own drawing, ms.
const SUBMISSION_MS: f64 = 12.0;
/// Most steps of a submission: their tokens are kept in a ring.
const MOST_AT_ONCE: usize = 64;
/// Submissions that the steps in flight are cut into, about.
const MOST_SUBMISSIONS: usize = 16;
/// Longest work of a submission that drivers bear, ms.
const LONGEST_MS: f64 = 100.0;
/// More in flight must give so much more to be worth it.
const GAIN: f64 = 1.06;
/// And so much more where it means more than [`MOST_MS`]: the GPU must have been waiting.
const LARGE_GAIN: f64 = 1.3;
/// Less in flight may give so much less.
const LOSS: f64 = 0.98;
/// Measurements between two trials of another number.
const SETTLED: u32 = 32;
/// Gaps between awaited read-backs that a measurement has at least.
const GAPS: u32 = 4;

/// Finds the number of steps in flight by measuring.
#[derive(Debug)]
pub(crate) struct Pace {
    /// Steps in flight that are wanted now.
    depth: usize,
    /// The depth that was best, and its steps a ms.
    best: Option<(usize, f64)>,
    phase: Phase,
    /// Steps that landed since the last change of depth or pause.
    landed: usize,
    /// Of those, the ones that were already in flight.
    skip: usize,
    /// Where the measurement began: steps landed before, and when, ms.
    start: Option<(usize, f64)>,
    gaps: u32,
    /// Steps since the last one that was waited for.
    unawaited: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Twice as many as long as that pays.
    Growing,
    /// So many measurements are left until others are tried.
    Settled(u32),
    /// Half as many are tried.
    Shrinking,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            depth: FEWEST,
            best: None,
            phase: Phase::Growing,
            landed: 0,
            skip: 0,
            start: None,
            gaps: 0,
            unawaited: 0,
        }
    }
}

impl Pace {
    /// Steps that are to be in flight.
    pub(crate) fn depth(&self) -> usize {
        self.depth.max(2 * self.batch()).min(MOST)
    }

    /// Steps of a submission.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a small range"
    )]
    pub(crate) fn batch(&self) -> usize {
        let steps = self.best.map_or(1.0, |(_, rate)| SUBMISSION_MS * rate);
        (steps as usize)
            .max(self.depth / MOST_SUBMISSIONS)
            .clamp(1, MOST_AT_ONCE)
    }

    /// Submissions that a step is cut into.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a small range"
    )]
    pub(crate) fn pieces(&self) -> usize {
        let step_ms = self.best.map_or(0.0, |(_, rate)| 1.0 / rate);
        (step_ms / LONGEST_MS).ceil().clamp(1.0, 64.0) as usize
    }

    /// Nothing was in flight: what follows has nothing to do with what was measured before.
    pub(crate) fn pause(&mut self) {
        self.landed = 0;
        self.skip = 0;
        self.start = None;
        self.unawaited = 0;
    }

    /// `steps` landed at `now`, ms; `awaited` unless they were there already when they were looked for.
    pub(crate) fn land(&mut self, steps: usize, awaited: bool, now: f64) {
        // What lands together with what was waited for tells no time. But more than can have been in flight together is
        // there because the CPU is late.
        self.unawaited = if awaited { 0 } else { self.unawaited + steps };
        let awaited = awaited || self.unawaited > self.depth();
        if awaited && self.landed >= self.skip {
            match self.start {
                None => {
                    self.start = Some((self.landed, now));
                    self.gaps = 0;
                }
                Some((before, began)) => {
                    self.gaps += 1;
                    let (count, time) = (self.landed - before, now - began);
                    if self.gaps >= GAPS && count >= 2 * self.depth() && time > 0.0 {
                        self.start = Some((self.landed, now));
                        self.gaps = 0;
                        #[expect(clippy::cast_precision_loss, reason = "a small number")]
                        self.measured(count as f64 / time);
                    }
                }
            }
        }
        self.landed += steps;
    }

    /// The present depth gave `rate` steps a ms.
    fn measured(&mut self, rate: f64) {
        let (best_depth, best_rate) = self.best.unwrap_or((self.depth, 0.0));
        match self.phase {
            Phase::Growing if rate > best_rate * self.worthwhile(rate) => {
                self.best = Some((self.depth, rate));
                self.try_depth(self.depth * 2, Phase::Growing);
            }
            Phase::Growing => self.try_depth(best_depth, Phase::Settled(SETTLED)),
            Phase::Settled(left) => {
                // Steps grow slower as the context grows.
                self.best = Some((self.depth, rate));
                match left {
                    0 if self.depth > FEWEST => self.try_depth(self.depth / 2, Phase::Shrinking),
                    0 => self.try_depth(self.depth * 2, Phase::Growing),
                    left => self.phase = Phase::Settled(left - 1),
                }
            }
            Phase::Shrinking if rate > best_rate * LOSS => {
                self.best = Some((self.depth, rate));
                self.phase = Phase::Settled(SETTLED);
            }
            Phase::Shrinking => {
                self.try_depth(best_depth * 2, Phase::Growing);
            }
        }
    }

    /// By how much more steps in flight must be faster, at the `rate` that they have now.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    fn worthwhile(&self, rate: f64) -> f64 {
        match self.depth as f64 / rate > MOST_MS {
            true => LARGE_GAIN,
            false => GAIN,
        }
    }

    fn try_depth(&mut self, depth: usize, phase: Phase) {
        let before = self.depth();
        // Of the time that the best ones take, the GPU may be waiting for most: twice as many may take no longer.
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let too_long = self
            .best
            .is_some_and(|(depth, rate)| depth as f64 / rate > MOST_MS);
        if phase == Phase::Growing && (depth > MOST || too_long) {
            self.depth = self.best.map_or(FEWEST, |(depth, _)| depth);
            self.phase = Phase::Settled(SETTLED);
        } else {
            self.depth = depth;
            self.phase = phase;
        }
        self.start = None;
        self.skip = self.landed + before.max(self.depth());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// A GPU that takes `step_ms` a step and whose results are seen `latency_ms` later, or then at the next multiple
    /// of `timer_ms`.
    #[derive(Clone, Copy, Debug)]
    struct Device {
        step_ms: f64,
        latency_ms: f64,
        timer_ms: f64,
    }

    /// Steps a ms of the last of `ms`, as a part of what the device can do; and the depth at the end.
    fn run(device: Device, pace: &mut Pace, ms: f64) -> (f64, usize) {
        let (mut now, mut gpu_free) = (0.0_f64, 0.0_f64);
        let mut flights: VecDeque<(usize, f64)> = VecDeque::new();
        let mut late = 0;
        while now < ms {
            loop {
                let in_flight: usize = flights.iter().map(|(steps, _)| steps).sum();
                let steps = pace.batch();
                if in_flight + steps > pace.depth() {
                    break;
                }
                gpu_free = gpu_free.max(now) + steps as f64 * device.step_ms;
                let mut seen = gpu_free + device.latency_ms;
                if device.timer_ms > 0.0 {
                    seen = (seen / device.timer_ms).ceil() * device.timer_ms;
                }
                flights.push_back((steps, seen));
            }
            let (steps, seen) = flights.pop_front().expect("something is in flight");
            let awaited = seen > now;
            now = now.max(seen);
            pace.land(steps, awaited, now);
            if now > ms / 2.0 {
                late += steps;
            }
        }
        (
            late as f64 * device.step_ms / (now - ms / 2.0),
            pace.depth(),
        )
    }

    #[test]
    fn the_gpu_never_waits_for_long_and_little_is_left_behind() {
        for step_ms in [0.3, 1.0, 5.0, 20.0, 56.0, 60.0, 150.0, 400.0] {
            for (latency_ms, timer_ms) in [
                (0.2, 0.0),
                (5.0, 0.0),
                (100.0, 0.0),
                (170.0, 0.0),
                (0.5, 100.0),
            ] {
                let device = Device {
                    step_ms,
                    latency_ms,
                    timer_ms,
                };
                let (share, depth) = run(device, &mut Pace::default(), 400.0 * step_ms.max(50.0));
                assert!(share > 0.88, "{share:.2} of {device:?} at depth {depth}");
                let left_ms = depth as f64 * step_ms;
                let needed_ms = step_ms.max(SUBMISSION_MS) + latency_ms + timer_ms;
                assert!(
                    left_ms <= 3.0 * needed_ms,
                    "{left_ms} ms in flight on {device:?}, {needed_ms} would do"
                );
            }
        }
    }

    #[test]
    fn a_submission_is_some_milliseconds_of_work_and_long_steps_are_cut() {
        let mut pace = Pace::default();
        let device = |step_ms| Device {
            step_ms,
            latency_ms: 0.5,
            timer_ms: 0.0,
        };
        run(device(1.0), &mut pace, 2000.0);
        assert!(
            (8..=20).contains(&pace.batch()),
            "{} steps of 1 ms",
            pace.batch()
        );
        assert_eq!(pace.pieces(), 1, "1 ms is no long step");
        let mut pace = Pace::default();
        run(device(350.0), &mut pace, 20_000.0);
        assert_eq!((pace.batch(), pace.pieces()), (1, 4), "350 ms is one");
    }

    #[test]
    fn the_depth_follows_a_device_that_changes() {
        let mut pace = Pace::default();
        let fast = Device {
            step_ms: 10.0,
            latency_ms: 1.0,
            timer_ms: 0.0,
        };
        run(fast, &mut pace, 5000.0);
        let before = pace.depth();
        pace.pause();
        let far = Device {
            latency_ms: 100.0,
            ..fast
        };
        let (share, depth) = run(far, &mut pace, 40_000.0);
        assert!(share > 0.9 && depth > before, "{share:.2} at depth {depth}");
        pace.pause();
        let (_, depth) = run(fast, &mut pace, 40_000.0);
        assert!(depth <= 2 * before, "{depth} in flight, {before} will do");
    }
}
