//! Threads of the operating system.

use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Lost, MAX_THREADS, Shared};

/// A pool of threads, the caller's among them.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    active: usize,
}

impl Pool {
    /// Starts `threads - 1` threads; those that the system refuses are left out.
    #[must_use]
    pub fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared::new());
        let threads: Vec<_> = (1..threads.min(MAX_THREADS))
            .map_while(|ix| {
                let shared = Arc::clone(&shared);
                let thread = std::thread::Builder::new().name(format!("puna {ix}"));
                thread.spawn(move || shared.serve(ix)).ok()
            })
            .collect();
        Self {
            active: threads.len() + 1,
            shared,
            threads,
        }
    }

    /// Threads that there are, the caller's among them.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads.len() + 1
    }

    /// Threads that take part from now on.
    pub fn set_active(&mut self, threads: usize) {
        self.active = threads.clamp(1, self.threads());
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
    /// [`Lost`] when a thread has ended; the pool can't be used any more.
    pub fn run(&self, parts: usize, work: &(dyn Fn(usize, usize) + Sync)) -> Result<(), Lost> {
        self.shared.run(self.active, parts, work)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.quit();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Sleeping until a word changes.
#[derive(Debug, Default)]
pub(super) struct Sleeper {
    lock: Mutex<()>,
    changed: Condvar,
}

impl Sleeper {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Sleeps while `word` is `value`, at most `limit_ms`; may wake early.
    pub(super) fn sleep(&self, word: &AtomicU32, value: u32, limit_ms: Option<u32>) {
        let guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if word.load(SeqCst) != value {
            return;
        }
        match limit_ms {
            Some(ms) => drop(
                self.changed
                    .wait_timeout(guard, Duration::from_millis(ms.into())),
            ),
            None => drop(self.changed.wait(guard)),
        }
    }

    /// Wakes all that sleep on any word.
    pub(super) fn wake(&self, _word: &AtomicU32) {
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }
}
