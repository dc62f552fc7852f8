//! Whatever runs the graph: the GPU, or the CPU where there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use puna_core::Result;
use puna_core::generate::Forwarded;
use puna_core::graph::Wanted;
use puna_core::sampler::Sampler;
use puna_gpu::device::Counters;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;

use crate::cpu::{CpuExecutor, CpuModule};
use crate::gpu;

/// A graph on a device.
#[derive(Debug)]
pub(crate) enum Executor {
    /// On WebGPU, and why.
    Gpu(Box<puna_gpu::Executor>, String),
    /// In the CPU's module.
    Cpu(Box<CpuExecutor>),
}

impl Executor {
    /// Runs tokens; the logits that were asked for.
    pub(crate) async fn forward(
        &mut self,
        position: usize,
        ids: &[u32],
        wanted: Wanted,
    ) -> Result<&mut [f32]> {
        match self {
            Self::Gpu(executor, _) => executor.forward(position, ids, wanted).await,
            Self::Cpu(executor) => executor.forward(position, ids, wanted).await,
        }
    }

    /// An answer begins whose tokens are drawn as `sampler` would.
    pub(crate) fn start(&mut self, sampler: &Sampler) {
        match self {
            Self::Gpu(executor, _) => executor.start(sampler),
            // It gives logits.
            Self::Cpu(_) => {}
        }
    }

    /// Runs tokens; the next token, or the logits that it is to be drawn from. `ahead` as in
    /// [`puna_gpu::Executor::sample`].
    pub(crate) async fn next(
        &mut self,
        position: usize,
        ids: &[u32],
        ahead: usize,
    ) -> Result<Forwarded<'_>> {
        Ok(match self {
            Self::Gpu(executor, _) => Forwarded::Draw(executor.sample(position, ids, ahead).await?),
            Self::Cpu(executor) => {
                Forwarded::Logits(executor.forward(position, ids, Wanted::Last).await?)
            }
        })
    }

    /// When all weights have been handed over.
    pub(crate) async fn finish_upload(&mut self) -> Result<()> {
        match self {
            Self::Gpu(executor, _) => executor.finish_upload().await,
            Self::Cpu(executor) => executor.finish_upload().await,
        }
    }

    /// Most tokens of the context.
    pub(crate) fn context_length(&self) -> usize {
        match self {
            Self::Gpu(executor, _) => executor.context_length(),
            Self::Cpu(executor) => executor.context_length(),
        }
    }

    /// Tokens of the next chunk of a prompt.
    pub(crate) fn chunk_tokens(&self) -> usize {
        match self {
            Self::Gpu(executor, _) => executor.chunk_tokens(),
            Self::Cpu(executor) => executor.max_tokens(),
        }
    }

    /// The device as `ModelInfo` describes it.
    pub(crate) fn describe(&self) -> Value {
        match self {
            Self::Gpu(executor, reason) => gpu::describe(executor, reason),
            Self::Cpu(executor) => executor.describe(),
        }
    }

    /// What can be looked at also while it runs.
    pub(crate) fn gauges(&self) -> Gauges {
        match self {
            Self::Gpu(executor, _) => Gauges {
                counters: Arc::clone(&executor.gpu().counters),
                module: None,
            },
            Self::Cpu(executor) => executor.gauges(),
        }
    }
}

/// What was made and done since the load, and the memory that it takes.
#[derive(Debug)]
pub(crate) struct Gauges {
    pub(crate) counters: Arc<Counters>,
    /// The CPU's, if that is what runs.
    pub(crate) module: Option<CpuModule>,
}

impl Gauges {
    /// As `Counters` of the package describes them.
    pub(crate) fn to_json(&self) -> Value {
        let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        let memory: js_sys::WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
        let heap = memory
            .buffer()
            .unchecked_into::<js_sys::ArrayBuffer>()
            .byte_length();
        json!({
            "buffers_created": count(&self.counters.buffers),
            "bind_groups_created": count(&self.counters.bind_groups),
            "pipelines_created": count(&self.counters.pipelines),
            "dispatches": count(&self.counters.dispatches),
            "submits": count(&self.counters.submits),
            "steps": count(&self.counters.steps),
            "wasm_heap_bytes": heap,
            "cpu_memory_bytes": self.module.as_ref().map_or(0.0, CpuModule::memory_bytes),
        })
    }
}
