//! Whatever runs the graph: the GPU, or the CPU where there is none.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use puna_core::generate::{Forwarded, Generation};
use puna_core::graph::{Factors, KvShape, Wanted};
use puna_core::pool::Copy;
use puna_core::sampler::Sampler;
use puna_core::{Error, Result};
use puna_gpu::device::Counters;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;

use crate::cpu::{CpuExecutor, CpuModule};
use crate::gpu;
use crate::scoring;
use crate::tuning::Tuning;

/// A graph on a device.
#[derive(Debug)]
pub(crate) enum Executor {
    /// On WebGPU.
    Gpu(Box<puna_gpu::Executor>, Aside),
    /// In the CPU's module.
    Cpu(Box<CpuExecutor>),
}

/// What there is to know of a GPU besides.
#[derive(Debug)]
pub(crate) struct Aside {
    /// Why it runs the model.
    pub(crate) reason: String,
    /// Whether its shaders may be timed.
    pub(crate) tunes: bool,
    /// Where it is kept what came of that, if it can be.
    pub(crate) tuning: Option<Tuning>,
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

    /// Takes what an adapter adds to a matrix.
    pub(crate) fn put_adapter(&mut self, factors: Factors) -> Result<()> {
        match self {
            Self::Gpu(executor, _) => executor.put_adapter(&factors),
            Self::Cpu(executor) => executor.put_adapter(factors),
        }
    }

    /// What each adapter is multiplied by in the calls that come.
    pub(crate) fn adapt(&mut self, scales: &[f32]) -> Result<()> {
        match self {
            Self::Gpu(executor, _) => executor.adapt(scales),
            Self::Cpu(executor) => executor.adapt(scales),
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

    /// The same in an answer that is held to a grammar.
    pub(crate) async fn next_guided(
        &mut self,
        position: usize,
        ids: &[u32],
        generation: &mut Generation<'_>,
    ) -> Result<Forwarded<'_>> {
        Ok(match self {
            Self::Gpu(executor, _) => {
                if ids.len() > 1 {
                    // Tokens that were not drawn are among them.
                    executor.start(generation.sampler());
                }
                let allowed = move || {
                    let once = generation;
                    let none = || Error::internal("an answer that is held to a grammar has none");
                    once.allowed()?.ok_or_else(none)
                };
                Forwarded::Draw(executor.sample_among(position, ids, allowed).await?)
            }
            Self::Cpu(executor) => {
                Forwarded::Logits(executor.forward(position, ids, Wanted::Last).await?)
            }
        })
    }

    /// Times the shaders of one more projection, to take the fastest from then on; whether there was one. The first `held`
    /// rows of the KV cache stay as they are, and it is broken off when `is_wanted` says so.
    pub(crate) async fn tune(&mut self, held: usize, is_wanted: &dyn Fn() -> bool) -> Result<bool> {
        let Self::Gpu(executor, aside) = self else {
            return Ok(false);
        };
        if !aside.tunes || executor.tune(held, is_wanted).await?.is_none() {
            return Ok(false);
        }
        if executor.untuned() == 0
            && let Some(tuning) = &aside.tuning
        {
            // To lose it costs some seconds the next time.
            let _ = tuning.keep(executor.choices()).await;
        }
        Ok(true)
    }

    /// Goes on with the conversation that begins at this row of the KV cache.
    pub(crate) fn go_to(&mut self, first_row: usize) {
        match self {
            Self::Gpu(executor, _) => executor.go_to(first_row),
            Self::Cpu(executor) => executor.go_to(first_row),
        }
    }

    /// Makes room for so many rows in the KV cache.
    pub(crate) async fn reserve(&mut self, rows: usize) -> Result<()> {
        match self {
            Self::Gpu(executor, _) => executor.reserve(rows).await,
            Self::Cpu(executor) => executor.reserve(rows),
        }
    }

    /// Copies rows of the KV cache, one range after the other.
    pub(crate) async fn copy_rows(&mut self, copies: &[Copy]) -> Result<()> {
        match self {
            _ if copies.is_empty() => Ok(()),
            Self::Gpu(executor, _) => executor.copy_rows(copies).await,
            Self::Cpu(executor) => executor.copy_rows(copies),
        }
    }

    /// What a layer of the KV cache holds in some rows: bits of f16, (planes, Hkv, rows, Dh).
    pub(crate) async fn read_rows(&mut self, layer: usize, rows: Range<usize>) -> Result<Vec<u16>> {
        match self {
            Self::Gpu(executor, _) => executor.read_rows(layer, rows).await,
            Self::Cpu(executor) => executor.read_rows(layer, rows),
        }
    }

    /// Writes such rows, from one on.
    pub(crate) fn write_rows(
        &mut self,
        layer: usize,
        first_row: usize,
        elements: &[u16],
    ) -> Result<()> {
        match self {
            Self::Gpu(executor, _) => executor.write_rows(layer, first_row, elements),
            Self::Cpu(executor) => executor.write_rows(layer, first_row, elements),
        }
    }

    /// Whether all of these are tokens of the model.
    pub(crate) fn check_ids(&self, ids: &[u32]) -> Result<()> {
        let rows = match self {
            Self::Gpu(executor, _) => executor.graph().out_width,
            Self::Cpu(executor) => executor.out_width(),
        };
        let is_known = |id: &&u32| usize::try_from(**id).is_ok_and(|id| id < rows);
        match ids.iter().find(|id| !is_known(id)) {
            None => Ok(()),
            Some(id) => Err(Error::invalid_request(
                "session",
                format!("session: there is no token {id}; the model has {rows}"),
            )),
        }
    }

    /// Its cache.
    pub(crate) fn kv(&self) -> KvShape {
        match self {
            Self::Gpu(executor, _) => executor.graph().kv,
            Self::Cpu(executor) => executor.kv(),
        }
    }

    /// Rows of the KV cache that there are.
    pub(crate) const fn rows(&self) -> usize {
        match self {
            Self::Gpu(executor, _) => executor.rows(),
            Self::Cpu(executor) => executor.rows(),
        }
    }

    /// Most rows of the KV cache.
    pub(crate) fn most_rows(&self) -> usize {
        match self {
            Self::Gpu(executor, _) => executor.most_rows(),
            Self::Cpu(executor) => executor.most_rows(),
        }
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

    /// Most tokens whose logits come back at a time.
    pub(crate) fn logits_rows(&self) -> usize {
        match self {
            Self::Gpu(executor, _) => executor.max_logits(),
            Self::Cpu(executor) => scoring::rows(executor.out_width()).min(executor.max_tokens()),
        }
    }

    /// The device as `ModelInfo` describes it.
    pub(crate) fn describe(&self) -> Value {
        match self {
            Self::Gpu(executor, aside) => gpu::describe(executor, &aside.reason),
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
            "untuned": count(&self.counters.untuned),
            "wasm_heap_bytes": heap,
            "cpu_memory_bytes": self.module.as_ref().map_or(0.0, CpuModule::memory_bytes),
        })
    }
}
