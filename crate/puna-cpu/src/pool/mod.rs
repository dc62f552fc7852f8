//! Threads that share the work of one op: started once, woken for each op, asleep soon after the last.
//!
//! An op is cut into parts, and every thread takes the next part that nobody has: a core that is slow or busy
//! takes fewer. A round ends when all parts are done by those that joined it: a thread that sleeps, or whose core is taken,
//! is waited for by nobody. Whether all are still alive is asked between calls ([`Pool::check`]). What threads sleep on is the
//! platform's ([`platform`]).

#[cfg_attr(feature = "module", path = "wasm.rs")]
#[cfg_attr(not(feature = "module"), path = "native.rs")]
mod platform;

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize};

pub use platform::Pool;

/// Most threads of a pool, the caller's among them.
pub const MAX_THREADS: usize = 16;

/// Looks that a thread takes at a word before it sleeps: some 100 µs, which is more than an op's serial part takes, so
/// that threads sleep between tokens and hardly ever within one. A look takes 3 or 4 cycles in a browser, which has no
/// instruction to pause, and some 40 to 140 elsewhere.
const SPINS: u32 = if cfg!(feature = "module") {
    100_000
} else {
    4_000
};
/// How long the caller waits for a thread that does not answer.
const PATIENCE_MS: u32 = if cfg!(test) { 300 } else { 5_000 };
/// Bits of a round that hold how many threads may take part in it.
const ACTIVE_BITS: u32 = 8;
/// Bits of [`Shared::joined`] that hold how many threads are in the round.
const JOINED: u32 = (1 << ACTIVE_BITS) - 1;
/// The bit of [`Shared::joined`] that says that nobody may join any more.
const CLOSED: u32 = 1 << ACTIVE_BITS;

/// A thread of the pool has ended or hangs; what was computed is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// The work of a round: called once with each part's number, and the thread's.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// What the threads of a pool share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Counts rounds above [`ACTIVE_BITS`]; below, the threads that may join this one, the caller among them. What threads sleep
    /// on.
    round: AtomicU32,
    /// The low bits of the round's number above [`CLOSED`]; below, the threads that are in it, the caller not counted. What
    /// the caller sleeps on.
    joined: AtomicU32,
    /// The part that is taken next.
    next: AtomicUsize,
    parts: AtomicUsize,
    /// The last round that each thread has seen.
    seen: [AtomicU32; MAX_THREADS],
    /// Threads asleep on `round`.
    asleep: AtomicU32,
    /// Whether the caller is asleep on `joined`.
    caller_asleep: AtomicBool,
    quit: AtomicBool,
    /// A thread panicked.
    lost: AtomicBool,
    /// Valid while the round is open or a thread is in it.
    work: UnsafeCell<Option<*const Work<'static>>>,
    sleeper: platform::Sleeper,
}

// SAFETY: `work` is written by the caller alone while no thread is in a round, and read by threads that have joined one: the
// release of `joined` and its acquire order the two.
unsafe impl Sync for Shared {}
// SAFETY: the pointer is to something Sync, and is not used after the round.
unsafe impl Send for Shared {}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            round: AtomicU32::new(0),
            joined: AtomicU32::new(CLOSED),
            next: AtomicUsize::new(0),
            parts: AtomicUsize::new(0),
            seen: std::array::from_fn(|_| AtomicU32::new(0)),
            asleep: AtomicU32::new(0),
            caller_asleep: AtomicBool::new(false),
            quit: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            work: UnsafeCell::new(None),
            sleeper: platform::Sleeper::new(),
        }
    }

    /// A round: `work` is called for each of `parts`, by the caller and at most `active - 1` threads.
    fn run(&self, active: usize, parts: usize, work: &Work<'_>) -> Result<(), Lost> {
        if active < 2 || parts < 2 {
            (0..parts).for_each(|part| work(part, 0));
            return Ok(());
        }
        let work: *const Work<'_> = work;
        // SAFETY: the lifetime is taken off a pointer that no thread uses after this function: it returns when the round is
        // closed and no thread is in it, or with `Lost`, after which the pool is never run again.
        let work = unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(work) };
        // SAFETY: the last round is closed, and no thread is in it.
        unsafe { *self.work.get() = Some(work) };
        self.parts.store(parts, Relaxed);
        self.next.store(0, Relaxed);
        let count = (self.round.load(Relaxed) >> ACTIVE_BITS).wrapping_add(1);
        self.joined.store(open(count), Release);
        let active = u32::try_from(active).unwrap_or(JOINED).min(JOINED);
        self.round.store(count << ACTIVE_BITS | active, SeqCst);
        if self.asleep.load(SeqCst) > 0 {
            self.sleeper.wake(&self.round);
        }
        self.take_parts(0);
        self.close()
    }

    fn take_parts(&self, thread: usize) {
        // SAFETY: set for this round.
        let Some(work) = (unsafe { *self.work.get() }) else {
            return;
        };
        let parts = self.parts.load(Relaxed);
        loop {
            let part = self.next.fetch_add(1, Relaxed);
            if part >= parts {
                return;
            }
            // SAFETY: the caller is in `run` for as long as a thread is in the round.
            unsafe { (*work)(part, thread) };
        }
    }

    /// Waits until no thread is in the round, and lets none join it any more.
    fn close(&self) -> Result<(), Lost> {
        for _ in 0..SPINS {
            if self.try_close() {
                return self.whole();
            }
            spin_loop();
        }
        self.caller_asleep.store(true, SeqCst);
        let mut waited = 0;
        while !self.try_close() {
            let (step, joined) = (100, self.joined.load(SeqCst));
            if joined & JOINED == 0 {
                continue;
            }
            self.sleeper.sleep(&self.joined, joined, Some(step));
            let is_same = self.joined.load(SeqCst) == joined;
            waited = if is_same { waited + step } else { 0 };
            if waited >= PATIENCE_MS {
                return Err(Lost);
            }
        }
        self.caller_asleep.store(false, Relaxed);
        self.whole()
    }

    fn try_close(&self) -> bool {
        let joined = self.joined.load(Acquire);
        joined & JOINED == 0
            && self
                .joined
                .compare_exchange(joined, joined | CLOSED, SeqCst, Relaxed)
                .is_ok()
    }

    fn whole(&self) -> Result<(), Lost> {
        if self.lost.load(Relaxed) {
            Err(Lost)
        } else {
            Ok(())
        }
    }

    /// Waits until `active - 1` threads have seen the last round.
    fn check(&self, active: usize) -> Result<(), Lost> {
        let round = self.round.load(Relaxed);
        for seen in self.seen.iter().take(active).skip(1) {
            let mut looks = 0;
            let mut waited = 0;
            while seen.load(Acquire) != round {
                if looks < SPINS {
                    looks += 1;
                    spin_loop();
                    continue;
                }
                if waited >= PATIENCE_MS {
                    return Err(Lost);
                }
                // Nobody wakes it: it is hardly ever here.
                self.sleeper.sleep(seen, seen.load(Acquire), Some(1));
                waited += 1;
            }
        }
        Ok(())
    }

    /// What thread `ix` (1 ..) does all its life.
    pub(crate) fn serve(&self, ix: usize) {
        let mut seen = 0;
        while let Some(round) = self.next_round(seen) {
            seen = round;
            if ix < (round & JOINED) as usize && self.join(round >> ACTIVE_BITS) {
                let end = End(self);
                self.take_parts(ix);
                drop(end);
            }
            if let Some(word) = self.seen.get(ix) {
                word.store(round, Release);
            }
        }
    }

    /// Joins a round, unless it is closed.
    fn join(&self, count: u32) -> bool {
        let mut joined = self.joined.load(Relaxed);
        while joined & !JOINED == open(count) {
            match self
                .joined
                .compare_exchange_weak(joined, joined + 1, Acquire, Relaxed)
            {
                Ok(_) => return true,
                Err(now) => joined = now,
            }
        }
        false
    }

    /// Waits for a round other than `seen`; `None` to end.
    fn next_round(&self, seen: u32) -> Option<u32> {
        for _ in 0..SPINS {
            let round = self.round.load(Acquire);
            if round != seen {
                return (!self.quit.load(Relaxed)).then_some(round);
            }
            spin_loop();
        }
        loop {
            self.asleep.fetch_add(1, SeqCst);
            self.sleeper.sleep(&self.round, seen, None);
            self.asleep.fetch_sub(1, SeqCst);
            let round = self.round.load(Acquire);
            if round != seen {
                return (!self.quit.load(Relaxed)).then_some(round);
            }
        }
    }

    /// Tells all threads to end.
    #[cfg_attr(
        feature = "module",
        expect(dead_code, reason = "a browser ends threads from outside")
    )]
    pub(crate) fn quit(&self) {
        self.quit.store(true, Relaxed);
        let count = (self.round.load(Relaxed) >> ACTIVE_BITS).wrapping_add(1);
        self.round.store(count << ACTIVE_BITS, SeqCst);
        self.sleeper.wake(&self.round);
    }
}

/// Ends a thread's part in a round, also when it panics.
struct End<'a>(&'a Shared);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lost.store(true, Release);
        }
        let before = self.0.joined.fetch_sub(1, SeqCst);
        if before & JOINED == 1 && self.0.caller_asleep.load(SeqCst) {
            self.0.sleeper.wake(&self.0.joined);
        }
    }
}

/// [`Shared::joined`] of a round that nobody has joined yet.
const fn open(count: u32) -> u32 {
    count << (ACTIVE_BITS + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_done_once_in_every_round() {
        let mut pool = Pool::new(4);
        for round in 0..3000 {
            pool.set_active(1 + round % 4);
            let parts = round % 23;
            let done: Vec<_> = (0..parts).map(|_| AtomicU32::new(0)).collect();
            let threads = AtomicU32::new(0);
            let work = |part: usize, thread: usize| {
                done[part].fetch_add(1, Relaxed);
                threads.fetch_or(1 << thread, Relaxed);
            };
            pool.run(parts, &work).expect("all threads live");
            let counts: Vec<_> = done.iter().map(|count| count.load(Relaxed)).collect();
            assert_eq!(counts, vec![1; parts], "round {round}");
            let allowed = (1 << pool.active()) - 1;
            let joined = threads.load(Relaxed);
            assert_eq!(
                joined & !allowed,
                0,
                "round {round}: {joined:b} of {allowed:b}"
            );
            if round % 100 == 0 {
                pool.check().expect("all threads live");
            }
        }
    }

    #[test]
    fn threads_help() {
        let pool = Pool::new(2);
        let helped = AtomicBool::new(false);
        for _ in 0..1000 {
            let work = |_: usize, thread: usize| {
                helped.fetch_or(thread == 1, Relaxed);
                std::thread::sleep(std::time::Duration::from_micros(100));
            };
            pool.run(8, &work).expect("all threads live");
            if helped.load(Relaxed) {
                return;
            }
        }
        panic!("the other thread did nothing");
    }

    #[test]
    fn a_thread_that_is_not_there_is_not_waited_for_but_missed() {
        let shared = Shared::new();
        let done = AtomicU32::new(0);
        let work = |_: usize, _: usize| {
            done.fetch_add(1, Relaxed);
        };
        for _ in 0..3 {
            shared.run(2, 8, &work).expect("the caller does it all");
        }
        assert_eq!(done.load(Relaxed), 24, "parts");
        assert_eq!(shared.check(1), Ok(()), "nobody else is asked for");
        assert_eq!(shared.check(2), Err(Lost), "it has seen no round");
    }

    #[test]
    fn a_thread_that_ends_in_a_round_is_missed() {
        let shared = Shared::new();
        let joins = |part: usize, _: usize| {
            // As a thread that is in the round and never comes back.
            if part == 0 {
                assert!(shared.join(1), "the round is open");
            }
        };
        assert_eq!(shared.run(2, 8, &joins), Err(Lost), "it is waited for");
    }
}
