//! GPU → CPU: a mapping as a future.
//!
//! Firefox completes awaited work on a timer of 100 ms, but looks at once when work is submitted. So
//! a pending map is poked by empty submissions, for a bounded time; then it is simply awaited. At first it is
//! poked each time the event loop comes round, then ever more rarely: what takes long is not much longer for some
//! milliseconds more, and a processor that pokes all the time is one that a GPU's driver lacks.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use puna_core::{Error, ErrorCode, Result};

use crate::device::Gpu;

/// Comes back after so many milliseconds, at 0 when the event loop has come round once; the web crate gives one.
pub type Tick = Rc<dyn Fn(u32) -> Pin<Box<dyn Future<Output = ()>>>>;

/// Times that a pending map is poked before it is simply awaited.
const MAX_POKES: u32 = 100_000;
/// Of those, the first ones, as fast as the event loop comes round.
const QUICK_POKES: u32 = 32;
/// Most milliseconds between two pokes.
const LONGEST_PAUSE_MS: u32 = 8;

/// Copies of results that the CPU can read.
pub struct Readback {
    buffer: wgpu::Buffer,
    tick: Option<Tick>,
}

impl std::fmt::Debug for Readback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readback")
            .field("buffer", &self.buffer)
            .field("pokes", &self.tick.is_some())
            .finish()
    }
}

impl Readback {
    /// Room for `bytes`. With `tick`, pending maps are poked.
    #[must_use]
    pub fn new(gpu: &Gpu, bytes: u64, tick: Option<Tick>) -> Self {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        Self {
            buffer: gpu.buffer("readback", bytes, usage),
            tick,
        }
    }

    /// Encodes the copy of `bytes` of `source`.
    pub fn copy(&self, encoder: &mut wgpu::CommandEncoder, source: &wgpu::Buffer, bytes: u64) {
        encoder.copy_buffer_to_buffer(source, 0, &self.buffer, 0, bytes);
    }

    /// Asks for the first `bytes` of what was copied by the submission; the last one, if none is given.
    #[must_use]
    pub fn request(&self, bytes: u64, submission: Option<wgpu::SubmissionIndex>) -> Request {
        let state = Arc::new(Mutex::new(Mapping::default()));
        let shared = Arc::clone(&state);
        self.buffer
            .map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
                Mapping::finish(&shared, result.is_ok());
            });
        Request {
            state,
            bytes,
            submission,
        }
    }

    /// Waits for what was requested and hands its words to `take`.
    ///
    /// # Errors
    /// `device_lost` when the device goes away meanwhile, or what else the device reported.
    pub async fn receive(
        &self,
        gpu: &Gpu,
        request: Request,
        take: impl FnOnce(&[[u8; 4]]),
    ) -> Result<()> {
        let bytes = request.bytes;
        self.wait(gpu, request).await?;
        {
            let view = self
                .buffer
                .get_mapped_range(0..bytes)
                .map_err(|error| Error::internal(format!("readback: {error}")))?;
            take(view.as_chunks().0);
        }
        self.buffer.unmap();
        Ok(())
    }

    /// Waits for the submitted copy and appends its floats to `out`.
    ///
    /// # Errors
    /// As [`Self::receive`].
    pub async fn read(&self, gpu: &Gpu, bytes: u64, out: &mut Vec<f32>) -> Result<()> {
        let request = self.request(bytes, None);
        let take = |words: &[[u8; 4]]| {
            out.extend(words.iter().map(|&word| f32::from_le_bytes(word)));
        };
        self.receive(gpu, request, take).await
    }

    async fn wait(&self, gpu: &Gpu, request: Request) -> Result<()> {
        let Request {
            state, submission, ..
        } = request;
        if cfg!(not(target_arch = "wasm32")) {
            let waited = gpu.device.poll(wgpu::PollType::Wait {
                submission_index: submission,
                timeout: None,
            });
            waited.map_err(|error| {
                Error::new(
                    ErrorCode::DeviceLost,
                    format!("waiting for the GPU failed: {error}"),
                )
            })?;
        }
        if let Some(tick) = &self.tick {
            for poke in 0..MAX_POKES {
                if Mapping::is_done(&state) || gpu.is_lost() {
                    break;
                }
                gpu.queue.submit([]);
                tick(
                    poke.saturating_sub(QUICK_POKES)
                        .div_ceil(4)
                        .min(LONGEST_PAUSE_MS),
                )
                .await;
            }
        }
        let mapped = Mapped(state).await;
        gpu.check()?;
        if mapped {
            Ok(())
        } else {
            Err(Error::new(
                ErrorCode::DeviceLost,
                "the GPU gave no result back; the model has to be loaded again",
            ))
        }
    }
}

impl Drop for Readback {
    fn drop(&mut self) {
        self.buffer.destroy();
    }
}

/// A read-back that was asked for and may be on its way.
#[derive(Debug)]
pub struct Request {
    state: Arc<Mutex<Mapping>>,
    bytes: u64,
    submission: Option<wgpu::SubmissionIndex>,
}

impl Request {
    /// Whether it is there already.
    #[must_use]
    pub fn is_done(&self, gpu: &Gpu) -> bool {
        if cfg!(not(target_arch = "wasm32")) {
            // The device tells only when it is asked. What is wrong with it is found when it is waited for.
            let _ = gpu.device.poll(wgpu::PollType::Poll);
        }
        Mapping::is_done(&self.state)
    }
}

#[derive(Debug, Default)]
struct Mapping {
    result: Option<bool>,
    waker: Option<Waker>,
}

impl Mapping {
    fn finish(state: &Mutex<Self>, ok: bool) {
        if let Ok(mut state) = state.lock() {
            state.result = Some(ok);
            if let Some(waker) = state.waker.take() {
                waker.wake();
            }
        }
    }

    fn is_done(state: &Mutex<Self>) -> bool {
        state.lock().is_ok_and(|state| state.result.is_some())
    }
}

/// Ready with whether the map succeeded.
struct Mapped(Arc<Mutex<Mapping>>);

impl Future for Mapped {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<bool> {
        let Ok(mut state) = self.0.lock() else {
            return Poll::Ready(false);
        };
        match state.result {
            Some(ok) => Poll::Ready(ok),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
