//! Whatever runs the graph: the GPU, or the CPU where there is none.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use puna_core::generate::Generation;
use puna_core::graph::{Factors, KvShape, Wanted};
use puna_core::places::{MOST_TOGETHER, Places};
use puna_core::pool::Copy;
use puna_core::sampler::{Draw, Sampler};
use puna_core::{Error, Result};
use puna_gpu::device::Counters;
use serde_json::{Value, json};
use wasm_bindgen::JsCast;

use crate::cpu::{CpuExecutor, CpuModule};
use crate::gpu;
use crate::scoring;
use crate::tuning::Tuning;

/// Bytes of an element of the CPU's cache, which is in f16.
const CPU_ELEMENT_BYTES: u64 = 2;

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

/// How the tokens of an answer come from logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Draws {
    /// The device draws them, steps ahead of the question.
    Ahead,
    /// The device draws them among those that a grammar allows.
    Among,
    /// Whoever gets the logits does.
    Later,
}

impl Executor {
    /// Runs tokens; the logits that were asked for.
    pub(crate) async fn forward(
        &mut self,
        places: impl Into<Places>,
        ids: &[u32],
        wanted: Wanted,
    ) -> Result<&mut [f32]> {
        let places = places.into();
        match self {
            Self::Gpu(executor, _) => executor.forward(places, ids, wanted).await,
            Self::Cpu(executor) => executor.forward(places, ids, wanted).await,
        }
    }

    /// Runs tokens; the logits of the last one of each conversation.
    pub(crate) async fn logits(
        &mut self,
        places: &Places,
        ids: &[u32],
    ) -> Result<std::slice::ChunksExactMut<'_, f32>> {
        let rows = self.out_width().max(1);
        let wanted = match places {
            Places::From(_) => Wanted::Last,
            Places::Each(_) => Wanted::All,
        };
        let logits = self.forward(places.clone(), ids, wanted).await?;
        Ok(logits.chunks_exact_mut(rows))
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

    /// How an answer's tokens are drawn.
    pub(crate) const fn draws(&self, generation: &Generation) -> Draws {
        match self {
            Self::Gpu(..) if !generation.needs_logits() => match generation.is_guided() {
                true => Draws::Among,
                false => Draws::Ahead,
            },
            _ => Draws::Later,
        }
    }

    /// Most answers that go on in the same steps.
    pub(crate) fn most_together(&self) -> usize {
        match self {
            Self::Gpu(executor, _) => executor.most_together(),
            Self::Cpu(executor) => executor.max_tokens().min(MOST_TOGETHER),
        }
    }

    /// Answers begin whose tokens the device draws as these would.
    pub(crate) async fn start(&mut self, samplers: &[Sampler]) -> Result<()> {
        let samplers: Vec<_> = samplers.iter().collect();
        self.drawing()?.start(&samplers).await
    }

    /// Runs tokens; the next token of each answer, as [`puna_gpu::Executor::sample`] has it.
    pub(crate) async fn sample(
        &mut self,
        places: &Places,
        ids: &[u32],
        ahead: usize,
    ) -> Result<Vec<Draw>> {
        self.drawing()?.sample(places.clone(), ids, ahead).await
    }

    /// What of it is on its way, as [`puna_gpu::Executor::rest`] has it.
    pub(crate) async fn rest(
        &mut self,
        going: &[(usize, usize, u32)],
    ) -> Result<Option<Vec<Draw>>> {
        match self {
            Self::Gpu(executor, _) => executor.rest(going).await,
            Self::Cpu(_) => Ok(None),
        }
    }

    /// The same among those that are allowed, as [`puna_gpu::Executor::sample_among`] has it.
    pub(crate) async fn sample_among(
        &mut self,
        places: &Places,
        ids: &[u32],
        allowed: &mut dyn FnMut(usize) -> Vec<u32>,
    ) -> Result<Vec<Draw>> {
        let executor = self.drawing()?;
        executor.sample_among(places.clone(), ids, allowed).await
    }

    /// What draws tokens.
    fn drawing(&mut self) -> Result<&mut puna_gpu::Executor> {
        match self {
            Self::Gpu(executor, _) => Ok(executor),
            Self::Cpu(_) => Err(Error::internal("the CPU executor draws no tokens")),
        }
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
        let rows = self.out_width();
        let is_known = |id: &&u32| usize::try_from(**id).is_ok_and(|id| id < rows);
        match ids.iter().find(|id| !is_known(id)) {
            None => Ok(()),
            Some(id) => Err(Error::invalid_request(
                "session",
                format!("session: there is no token {id}; the model has {rows}"),
            )),
        }
    }

    /// Elements of a token's logits.
    fn out_width(&self) -> usize {
        match self {
            Self::Gpu(executor, _) => executor.graph().out_width,
            Self::Cpu(executor) => executor.out_width(),
        }
    }

    /// Its cache.
    pub(crate) fn kv(&self) -> KvShape {
        match self {
            Self::Gpu(executor, _) => executor.graph().kv,
            Self::Cpu(executor) => executor.kv(),
        }
    }

    /// Bytes of a token in its cache.
    pub(crate) fn row_bytes(&self) -> u64 {
        match self {
            Self::Gpu(executor, _) => executor.row_bytes(),
            Self::Cpu(_) => self.kv().token_bytes(CPU_ELEMENT_BYTES),
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
