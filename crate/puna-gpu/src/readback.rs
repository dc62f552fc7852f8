//! GPU → CPU: a mapping as a future.
//!
//! Firefox completes awaited work on a timer of 100 ms, but looks at once when work is submitted. So
//! a pending map is poked by empty submissions, one each time the event loop comes round, for a
//! bounded time; then it is simply awaited.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use puna_core::{Error, ErrorCode, Result};

use crate::device::Gpu;

/// Comes back when the event loop has come round once; the web crate gives one.
pub type Tick = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>>;

/// Times that a pending map is poked before it is simply awaited.
const MAX_POKES: u32 = 100_000;

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

    /// Waits for the submitted copy and appends its floats to `out`.
    ///
    /// # Errors
    /// `device_lost` when the device goes away meanwhile, or what else the device reported.
    pub async fn read(&self, gpu: &Gpu, bytes: u64, out: &mut Vec<f32>) -> Result<()> {
        let state = Arc::new(Mutex::new(Mapping::default()));
        let shared = Arc::clone(&state);
        self.buffer
            .map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
                Mapping::finish(&shared, result.is_ok());
            });
        self.wait(gpu, state).await?;
        {
            let view = self
                .buffer
                .get_mapped_range(0..bytes)
                .map_err(|error| Error::internal(format!("readback: {error}")))?;
            out.extend(
                view.as_chunks()
                    .0
                    .iter()
                    .map(|&word| f32::from_le_bytes(word)),
            );
        }
        self.buffer.unmap();
        Ok(())
    }

    async fn wait(&self, gpu: &Gpu, state: Arc<Mutex<Mapping>>) -> Result<()> {
        if cfg!(not(target_arch = "wasm32")) {
            let waited = gpu.device.poll(wgpu::PollType::Wait {
                submission_index: None,
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
            for _ in 0..MAX_POKES {
                if Mapping::is_done(&state) || gpu.is_lost() {
                    break;
                }
                gpu.queue.submit([]);
                tick().await;
            }
        }
        let mapped = Mapped(state).await;
        gpu.check()?;
        if mapped {
            Ok(())
        } else {
            Err(Error::new(
                ErrorCode::DeviceLost,
                "the GPU gave no result back; load the model again",
            ))
        }
    }
}

impl Drop for Readback {
    fn drop(&mut self) {
        self.buffer.destroy();
    }
}

#[derive(Default)]
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
