//! Threads that share the work of one op: started once, woken for each op, asleep soon after the last.
//!
//! An op is cut into parts, and every thread takes the next part that nobody has: a core that is slow or busy
//! takes fewer. What threads sleep on is the platform's ([`platform`]).

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
/// How long the caller waits for the others without any of them taking a part.
const PATIENCE_MS: u32 = 5_000;
/// Bits of a round that hold how many threads take part in it.
const ACTIVE_BITS: u32 = 8;

/// A thread of the pool has ended or hangs; what was computed is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

/// The work of a round: called once with each part's number, and the thread's.
type Work<'a> = dyn Fn(usize, usize) + Sync + 'a;

/// What the threads of a pool share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Counts rounds above [`ACTIVE_BITS`]; below, the threads of this one. What threads sleep on.
    round: AtomicU32,
    /// Threads that have not ended this round, the caller not counted. What the caller sleeps on.
    pending: AtomicU32,
    /// The part that is taken next.
    next: AtomicUsize,
    parts: AtomicUsize,
    /// Threads asleep on `round`.
    asleep: AtomicU32,
    /// Whether the caller is asleep on `pending`.
    caller_asleep: AtomicBool,
    quit: AtomicBool,
    /// A thread panicked.
    lost: AtomicBool,
    /// Valid while `pending` is not 0.
    work: UnsafeCell<Option<*const Work<'static>>>,
    sleeper: platform::Sleeper,
}

// SAFETY: `work` is written by the caller alone while no thread is in a round, and read by threads in one: the
// release of `round` and its acquire order the two.
unsafe impl Sync for Shared {}
// SAFETY: the pointer is to something Sync, and is not used after the round.
unsafe impl Send for Shared {}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            round: AtomicU32::new(0),
            pending: AtomicU32::new(0),
            next: AtomicUsize::new(0),
            parts: AtomicUsize::new(0),
            asleep: AtomicU32::new(0),
            caller_asleep: AtomicBool::new(false),
            quit: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            work: UnsafeCell::new(None),
            sleeper: platform::Sleeper::new(),
        }
    }

    /// A round: `work` is called for each of `parts`, by the caller and `active - 1` threads.
    fn run(&self, active: usize, parts: usize, work: &Work<'_>) -> Result<(), Lost> {
        let helpers = u32::try_from(active.saturating_sub(1)).unwrap_or(0);
        if helpers == 0 || parts < 2 {
            (0..parts).for_each(|part| work(part, 0));
            return Ok(());
        }
        let work: *const Work<'_> = work;
        // SAFETY: the lifetime is taken off a pointer that no thread uses after this function: it returns when
        // all have ended the round, or with `Lost`, after which the pool is never run again.
        let work = unsafe { std::mem::transmute::<*const Work<'_>, *const Work<'static>>(work) };
        // SAFETY: no thread is in a round.
        unsafe { *self.work.get() = Some(work) };
        self.parts.store(parts, Relaxed);
        self.next.store(0, Relaxed);
        self.pending.store(helpers, Relaxed);
        let count = (self.round.load(Relaxed) >> ACTIVE_BITS).wrapping_add(1);
        self.round
            .store(count << ACTIVE_BITS | (helpers + 1), SeqCst);
        if self.asleep.load(SeqCst) > 0 {
            self.sleeper.wake(&self.round);
        }
        self.take_parts(0);
        self.wait_for_others()
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

    fn wait_for_others(&self) -> Result<(), Lost> {
        for _ in 0..SPINS {
            if self.pending.load(Acquire) == 0 {
                return self.whole();
            }
            spin_loop();
        }
        self.caller_asleep.store(true, SeqCst);
        let mut pending = self.pending.load(SeqCst);
        let mut waited = 0;
        while pending != 0 {
            let step = 100;
            self.sleeper.sleep(&self.pending, pending, Some(step));
            let now = self.pending.load(SeqCst);
            waited = if now == pending { waited + step } else { 0 };
            pending = now;
            if waited >= PATIENCE_MS {
                return Err(Lost);
            }
        }
        self.caller_asleep.store(false, Relaxed);
        self.whole()
    }

    fn whole(&self) -> Result<(), Lost> {
        if self.lost.load(Relaxed) {
            Err(Lost)
        } else {
            Ok(())
        }
    }

    /// What thread `ix` (1 ..) does all its life.
    pub(crate) fn serve(&self, ix: usize) {
        let mut seen = 0;
        while let Some(round) = self.next_round(seen) {
            seen = round;
            // A thread that is none of this round's takes nothing: the caller may be rounds ahead of it.
            if ix < (round & ((1 << ACTIVE_BITS) - 1)) as usize {
                let end = End(self);
                self.take_parts(ix);
                drop(end);
            }
        }
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
        if self.0.pending.fetch_sub(1, SeqCst) == 1 && self.0.caller_asleep.load(SeqCst) {
            self.0.sleeper.wake(&self.0.pending);
        }
    }
}
