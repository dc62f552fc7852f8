//! Workers of a browser: each runs an instance of this module on the same memory. JavaScript starts and ends
//! them ([`crate::wasm`]).

use std::sync::atomic::AtomicU32;

use super::{Lost, MAX_THREADS, Shared};
use crate::wasm::import;

/// A pool of threads, the caller's among them.
#[derive(Debug)]
pub struct Pool {
    shared: &'static Shared,
    threads: usize,
    active: usize,
}

impl Pool {
    /// For `threads - 1` workers that serve [`Self::shared`].
    #[must_use]
    pub fn new(threads: usize) -> Self {
        // Never freed: a worker may look at it for as long as the memory is there.
        Self {
            shared: Box::leak(Box::new(Shared::new())),
            threads: threads.clamp(1, MAX_THREADS),
            active: threads.clamp(1, MAX_THREADS),
        }
    }

    /// What workers serve.
    pub(crate) const fn shared(&self) -> &'static Shared {
        self.shared
    }

    /// Threads that there are, the caller's among them.
    #[must_use]
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Threads that take part from now on.
    pub fn set_active(&mut self, threads: usize) {
        self.active = threads.clamp(1, self.threads);
    }

    /// Threads that take part.
    #[must_use]
    pub const fn active(&self) -> usize {
        self.active
    }

    /// Waits until the threads that take part have seen the last round.
    ///
    /// # Errors
    /// [`Lost`] when one has ended; the pool can't be used any more.
    pub fn check(&self) -> Result<(), Lost> {
        self.shared.check(self.active)
    }

    /// Calls `work(part, thread)` for each of `parts`, on all threads that take part, and returns when all are
    /// done. Threads count from 0, the caller's. In a browser, `work` must not allocate: the allocator has no lock.
    ///
    /// # Errors
    /// [`Lost`] when a worker has ended; the pool can't be used any more.
    pub fn run(&self, parts: usize, work: &(dyn Fn(usize, usize) + Sync)) -> Result<(), Lost> {
        self.shared.run(self.active, parts, work)
    }
}

/// Sleeping until a word changes: `Atomics.wait`, whose instruction is not stable in Rust.
#[derive(Debug)]
pub(super) struct Sleeper;

impl Sleeper {
    pub(super) const fn new() -> Self {
        Self
    }

    /// Sleeps while `word` is `value`, at most `limit_ms`; may wake early.
    pub(super) fn sleep(&self, word: &AtomicU32, value: u32, limit_ms: Option<u32>) {
        import::wait(word, value, limit_ms);
    }

    /// Wakes all that sleep on the word.
    pub(super) fn wake(&self, word: &AtomicU32) {
        import::wake(word);
    }
}
