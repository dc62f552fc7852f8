//! The module's face to JavaScript: plain numbers and addresses, so that it needs no glue.
//!
//! ```text
//! main    request_room(n), write the request there; call() is where its response is, response_bytes() long
//!         chunk_room(n), write a chunk there, then call with Upload
//! thread  stack_room(n) by the main thread; set __stack_pointer to its end, then serve(pool, ix) for good
//! ```
//!
//! Only the main thread allocates: the standard library is compiled without threads, its allocator has no lock.

use std::cell::RefCell;
use std::fmt::Write;
use std::panic;
use std::sync::Once;

use puna_core::message::{decode, encode, room};
use puna_core::{Error, Result};

use crate::executor::{Executor, ExecutorOptions};
use crate::pool::{Lost, Shared};
use crate::simd::Simd;
use crate::wire::{Request, Response};

/// What JavaScript does for the module.
pub(crate) mod import {
    use std::sync::atomic::AtomicU32;

    #[link(wasm_import_module = "puna")]
    unsafe extern "C" {
        #[link_name = "wait"]
        fn raw_wait(word: *const AtomicU32, value: u32, limit_ms: i32);
        #[link_name = "wake"]
        fn raw_wake(word: *const AtomicU32);
        #[link_name = "panicked"]
        fn raw_panicked(message: *const u8, bytes: usize);
    }

    /// `Atomics.wait`: sleeps while `word` is `value`, at most `limit_ms`.
    pub(crate) fn wait(word: &AtomicU32, value: u32, limit_ms: Option<u32>) {
        let limit_ms = limit_ms.map_or(-1, |ms| i32::try_from(ms).unwrap_or(i32::MAX));
        // SAFETY: a word of this memory, 4-byte aligned.
        unsafe { raw_wait(word, value, limit_ms) }
    }

    /// `Atomics.notify`: wakes all that sleep on `word`.
    pub(crate) fn wake(word: &AtomicU32) {
        // SAFETY: as above.
        unsafe { raw_wake(word) }
    }

    /// Throws; does not return.
    pub(super) fn panicked(message: &str) {
        // SAFETY: a string of this memory.
        unsafe { raw_panicked(message.as_ptr(), message.len()) }
    }
}

/// What the main thread keeps between calls.
#[derive(Default)]
struct Main {
    executor: Option<Executor>,
    request: Vec<u8>,
    response: Vec<u8>,
    chunk: Vec<u8>,
}

thread_local! {
    static MAIN: RefCell<Main> = RefCell::new(Main::default());
}

/// Room for the next request; 0 when there is no memory for it.
#[unsafe(no_mangle)]
extern "C" fn request_room(bytes: usize) -> *mut u8 {
    MAIN.with_borrow_mut(|main| room(&mut main.request, bytes))
}

/// Room for the next chunk; 0 when there is no memory for it.
#[unsafe(no_mangle)]
extern "C" fn chunk_room(bytes: usize) -> *mut u8 {
    MAIN.with_borrow_mut(|main| room(&mut main.chunk, bytes))
}

/// A thread's stack: its first byte, 16-byte aligned if `bytes` is a multiple of 16; never freed. 0 when there
/// is no memory for it.
#[unsafe(no_mangle)]
extern "C" fn stack_room(bytes: usize) -> *mut u128 {
    let mut stack: Vec<u128> = Vec::new();
    if stack.try_reserve_exact(bytes / size_of::<u128>()).is_err() {
        return std::ptr::null_mut();
    }
    stack.leak().as_mut_ptr()
}

/// Answers the request that was written; where the response is.
#[unsafe(no_mangle)]
extern "C" fn call() -> *const u8 {
    tell_of_panics();
    MAIN.with_borrow_mut(|main| {
        let response = main
            .answer()
            .unwrap_or_else(|error| Response::Failed(error.to_json().to_string()));
        main.response = encode(&response).unwrap_or_default();
        main.response.as_ptr()
    })
}

/// Once: every token asks.
fn tell_of_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        panic::set_hook(Box::new(|info| {
            let mut message = String::new();
            let _ = write!(message, "{info}");
            import::panicked(&message);
        }));
    });
}

/// Checks every kernel; how many cases there are.
#[cfg(feature = "self-test")]
#[unsafe(no_mangle)]
extern "C" fn self_test() -> usize {
    tell_of_panics();
    crate::self_test::run()
}

/// The sum of the chunk's bytes, modulo 2³²; those after the last whole 16 are left out.
#[cfg(all(feature = "self-test", target_feature = "simd128"))]
#[unsafe(no_mangle)]
extern "C" fn sum_chunk() -> u32 {
    MAIN.with_borrow(|main| crate::bound::sum(main.chunk.as_chunks().0))
}

/// Bytes of the response.
#[unsafe(no_mangle)]
extern "C" fn response_bytes() -> usize {
    MAIN.with_borrow(|main| main.response.len())
}

/// What thread `ix` does for good. `pool` is from [`Response::Opened`].
#[unsafe(no_mangle)]
extern "C" fn serve(pool: *const Shared, ix: usize) {
    // SAFETY: the pool is never freed.
    unsafe { &*pool }.serve(ix);
}

impl Main {
    fn answer(&mut self) -> Result<Response> {
        Ok(match decode(&self.request)? {
            Request::Open {
                graph,
                n_tensors,
                limits,
                threads,
            } => {
                let options = ExecutorOptions {
                    simd: Simd::best(),
                    threads: threads as usize,
                    limits,
                };
                self.executor = None;
                let mut executor = Executor::new(*graph, n_tensors as usize, options)?;
                let shared: *const Shared = executor.pool().shared();
                let response = Response::Opened {
                    pool: shared as u32,
                    context_length: u32::try_from(executor.context_length()).unwrap_or(u32::MAX),
                    simd: Simd::best().name().to_owned(),
                };
                self.executor = Some(executor);
                response
            }
            Request::Upload { pieces } => {
                let Self {
                    executor, chunk, ..
                } = self;
                executor
                    .as_mut()
                    .ok_or_else(unopened)?
                    .upload(&pieces, chunk)?;
                Response::Done
            }
            Request::PutAdapter { factors } => {
                let executor = self.executor.as_mut().ok_or_else(unopened)?;
                executor.put_adapter(&factors)?;
                Response::Done
            }
            Request::Adapt { scales } => {
                let executor = self.executor.as_mut().ok_or_else(unopened)?;
                executor.adapt(&scales)?;
                Response::Done
            }
            Request::Copy { copies } => {
                let executor = self.executor.as_mut().ok_or_else(unopened)?;
                executor.copy_rows(&copies)?;
                Response::Done
            }
            Request::ReadRows {
                layer,
                rows: [from, to],
            } => {
                let executor = self.executor.as_mut().ok_or_else(unopened)?;
                let rows = executor.read_rows(layer as usize, from as usize..to as usize)?;
                Response::Rows(rows.iter().flat_map(|bits| bits.to_le_bytes()).collect())
            }
            Request::WriteRows {
                layer,
                first_row,
                elements,
            } => {
                let (halves, _) = elements.as_chunks::<2>();
                let halves: Vec<u16> = halves
                    .iter()
                    .map(|bits| u16::from_le_bytes(*bits))
                    .collect();
                let executor = self.executor.as_mut().ok_or_else(unopened)?;
                executor.write_rows(layer as usize, first_row as usize, &halves)?;
                Response::Done
            }
            Request::Reserve { rows } => {
                let executor = self.executor.as_mut().ok_or_else(unopened)?;
                executor.reserve(rows as usize)?;
                Response::Done
            }
            Request::Forward {
                places,
                ids,
                wanted,
                threads,
            } => {
                // The weights are there: a chunk's room is not needed any more.
                self.chunk = Vec::new();
                let executor = self.executor.as_mut().ok_or_else(unopened)?;
                executor.pool().set_active(threads as usize);
                match executor.try_forward(&places, &ids, wanted)? {
                    Ok(logits) => Response::Logits {
                        at: logits.as_ptr() as u32,
                        len: u32::try_from(logits.len()).unwrap_or(u32::MAX),
                    },
                    Err(Lost) => Response::ThreadLost,
                }
            }
        })
    }
}

fn unopened() -> Error {
    Error::internal("the CPU executor is asked before it is made")
}
