//! The executor without a GPU: a wasm module of its own, with a memory of its own, which JavaScript starts.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use js_sys::{Float32Array, Uint8Array};
use puna_core::graph::{Factors, Graph, KvShape, Wanted};
use puna_core::message::{decode, encode};
use puna_core::places::Places;
use puna_core::pool::Copy;
use puna_core::session::{CONVERSATIONS, grown_capacity};
use puna_core::weights::plan::Chunk;
use puna_core::{Error, ErrorCode, Result};
use puna_cpu::executor::{self, Limits};
use puna_cpu::wire::{Request, Response};
use puna_gpu::device::Counters;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

use crate::executor::Gauges;
use crate::js_error::from_js;
use crate::macrotask::Macrotask;
use crate::options::Options;
use crate::timer::now;

/// What a memory of 32-bit addresses can hold.
const MOST_BYTES: u64 = 1 << 32;
/// What the module takes besides weights and KV cache: its own data and stack, a chunk on its way, activations.
const OVERHEAD_BYTES: u64 = 32 << 20;
/// Rows of a conversation that are read or written at a time: the module's memory has room for little besides.
const ROWS_AT_ONCE: usize = 256;
/// Tokens of a call by which numbers of threads are compared for prompts.
const TRIAL_TOKENS: u32 = 16;
/// Calls of each number of threads, of which the fastest counts.
const LEAST_TURNS: usize = 2;
const MOST_TURNS: usize = 8;
/// After so long there are no more than the least.
const TRIAL_MS: f64 = 150.0;
/// How much faster more threads must be to be taken: they take power and other programs' time.
const WORTH: f64 = 0.9;

#[wasm_bindgen]
extern "C" {
    /// `worker/cpu.ts`: starts modules, and is told what the user should know.
    #[derive(Clone, Debug)]
    pub type CpuHost;

    /// Fetches and starts the module that this browser can run; `threads` 0 leaves the number to the host.
    #[wasm_bindgen(method, catch)]
    async fn start(
        this: &CpuHost,
        simd: Option<String>,
        threads: u32,
        memory_bytes: f64,
    ) -> std::result::Result<JsValue, JsValue>;

    /// Tells the page something worth knowing.
    #[wasm_bindgen(method)]
    fn warn(this: &CpuHost, message: &str);

    /// `worker/cpu_module.ts`: a module that runs.
    #[derive(Clone, Debug)]
    pub(crate) type CpuModule;

    /// Threads that it may have, its own among them.
    #[wasm_bindgen(method, getter)]
    fn threads(this: &CpuModule) -> u32;

    /// Why it has no more; none where the number was chosen.
    #[wasm_bindgen(method, getter)]
    fn limited(this: &CpuModule) -> Option<String>;

    #[wasm_bindgen(method, catch)]
    fn call(this: &CpuModule, request: Uint8Array) -> std::result::Result<Vec<u8>, JsValue>;

    #[wasm_bindgen(method, catch, js_name = putChunk)]
    fn put_chunk(this: &CpuModule, bytes: &Uint8Array) -> std::result::Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn floats(this: &CpuModule, at: u32, len: u32) -> std::result::Result<Float32Array, JsValue>;

    /// Starts the other threads; rejects unless all have started.
    #[wasm_bindgen(method, catch, js_name = startThreads)]
    async fn start_threads(this: &CpuModule, pool: u32) -> std::result::Result<JsValue, JsValue>;

    /// Ends them.
    #[wasm_bindgen(method, js_name = endThreads)]
    fn end_threads(this: &CpuModule);

    /// Bytes of its memory.
    #[wasm_bindgen(method, getter, js_name = memoryBytes)]
    pub(crate) fn memory_bytes(this: &CpuModule) -> f64;
}

/// A graph in the module's memory.
#[derive(Debug)]
pub(crate) struct CpuExecutor {
    host: CpuHost,
    module: CpuModule,
    limits: Limits,
    context_length: usize,
    /// Of the KV cache, as many as were asked for.
    rows: usize,
    kv: KvShape,
    /// Tokens that there are logits of.
    out_width: usize,
    simd: String,
    reason: String,
    /// Where the threads find their work.
    pool: u32,
    threads: Threads,
    /// Whether the number was given and not left to a measurement.
    is_fixed: bool,
    macrotask: Macrotask,
    logits: Vec<f32>,
    counters: Arc<Counters>,
}

/// How many threads take part.
#[derive(Clone, Copy, Debug)]
struct Threads {
    /// In a call of several tokens, which is bound by arithmetic.
    prefill: u32,
    /// In a call of one, which is bound by memory.
    decode: u32,
}

impl CpuExecutor {
    /// Starts the module and makes room for the graph.
    ///
    /// # Errors
    /// `out_of_memory` where the model is too large for the module's memory or for the machine, and those of the
    /// host.
    pub(crate) async fn open(
        host: CpuHost,
        graph: Graph,
        n_tensors: usize,
        options: &Options,
    ) -> Result<Self> {
        let (limits, most) = limits(options);
        let memory_bytes = needed(&graph, limits, most, CONVERSATIONS)?;
        let started = host
            .start(
                options.simd().map(str::to_owned),
                options.threads().unwrap_or(0),
                #[expect(clippy::cast_precision_loss, reason = "at most 2^32")]
                {
                    memory_bytes as f64
                },
            )
            .await;
        let module: CpuModule = started
            .map_err(|thrown| from_js(&thrown, "starting the CPU executor"))?
            .unchecked_into();
        let (kv, out_width) = (graph.kv, graph.out_width);
        let request = Request::Open {
            graph: Box::new(graph),
            n_tensors: u32::try_from(n_tensors).unwrap_or(u32::MAX),
            limits,
            threads: module.threads(),
        };
        let Response::Opened {
            pool,
            context_length,
            simd,
        } = ask(&module, &request)?
        else {
            return Err(unexpected());
        };
        Ok(Self {
            host,
            module,
            limits,
            context_length: context_length as usize,
            rows: 0,
            kv,
            out_width,
            simd,
            reason: options.device_reason().to_owned(),
            pool,
            threads: Threads {
                prefill: 1,
                decode: 1,
            },
            is_fixed: options.threads().is_some(),
            macrotask: Macrotask::new()?,
            logits: Vec::new(),
            counters: Arc::default(),
        })
    }

    /// Takes a chunk's bytes.
    pub(crate) fn upload(&self, chunk: &Chunk, bytes: &Uint8Array) -> Result<()> {
        let put = self.module.put_chunk(bytes);
        put.map_err(|thrown| from_js(&thrown, "handing weights to the CPU executor"))?;
        let pieces = chunk.pieces.clone();
        match ask(&self.module, &Request::Upload { pieces })? {
            Response::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Takes what an adapter adds to a matrix.
    pub(crate) fn put_adapter(&self, factors: Factors) -> Result<()> {
        match ask(&self.module, &Request::PutAdapter { factors })? {
            Response::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// What each adapter is multiplied by in the calls that come.
    pub(crate) fn adapt(&self, scales: &[f32]) -> Result<()> {
        let scales = scales.to_vec();
        match ask(&self.module, &Request::Adapt { scales })? {
            Response::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Starts the threads, when all weights are there, and finds out how many of them are worth it.
    pub(crate) async fn finish_upload(&mut self) -> Result<()> {
        let all = self.module.threads();
        if all < 2 {
            return Ok(());
        }
        if let Err(thrown) = self.module.start_threads(self.pool).await {
            let why = from_js(&thrown, "starting threads");
            self.go_on_alone(why.message().as_str());
            return Ok(());
        }
        self.threads = Threads {
            prefill: all,
            decode: all,
        };
        if !self.is_fixed {
            self.threads = Threads {
                prefill: self.fastest(all, TRIAL_TOKENS).await?,
                decode: self.fastest(all, 1).await?,
            };
        }
        Ok(())
    }

    /// The number of threads, of 1, 2, 4 … `all`, by which so many tokens take the least time. They take turns: what else the
    /// machine does just now slows all of them.
    async fn fastest(&mut self, all: u32, tokens: u32) -> Result<u32> {
        let tokens = tokens.min(u32::try_from(self.context_length).unwrap_or(tokens));
        let ids = vec![0; tokens as usize];
        let doubled = |threads: &u32| (*threads < all).then(|| threads.saturating_mul(2).min(all));
        let mut least: Vec<_> = std::iter::successors(Some(1), doubled)
            .map(|threads| (threads, f64::INFINITY))
            .collect();
        let begin = now();
        for turn in 0..MOST_TURNS {
            for (threads, least) in &mut least {
                self.threads = Threads {
                    prefill: *threads,
                    decode: *threads,
                };
                let start = now();
                self.forward(0.into(), &ids, Wanted::None).await?;
                *least = least.min(now() - start);
                // A thread may have been lost meanwhile.
                if self.threads.decode < *threads {
                    return Ok(self.threads.decode);
                }
            }
            if turn + 1 >= LEAST_TURNS && now() - begin > TRIAL_MS {
                break;
            }
        }
        let best = least.into_iter().reduce(
            |best, more| {
                if more.1 < best.1 * WORTH { more } else { best }
            },
        );
        Ok(best.map_or(1, |(threads, _)| threads))
    }

    /// Makes room for so many rows in the KV cache.
    pub(crate) fn reserve(&mut self, rows: usize) -> Result<()> {
        if rows <= self.rows {
            return Ok(());
        }
        let request = Request::Reserve {
            rows: u32::try_from(rows).unwrap_or(u32::MAX),
        };
        match ask(&self.module, &request)? {
            Response::Done => self.rows = rows,
            _ => return Err(unexpected()),
        }
        Ok(())
    }

    /// Copies rows of the KV cache.
    pub(crate) fn copy_rows(&self, copies: &[Copy]) -> Result<()> {
        let copies = copies.to_vec();
        match ask(&self.module, &Request::Copy { copies })? {
            Response::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// What a layer of the KV cache holds in some rows.
    pub(crate) fn read_rows(&self, layer: usize, rows: Range<usize>) -> Result<Vec<u16>> {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let dims = self.kv.head_dim;
        let planes = self.kv.planes() * self.kv.heads;
        let mut elements = vec![0_u16; planes * rows.len() * dims];
        for first in rows.clone().step_by(ROWS_AT_ONCE) {
            let end = rows.end.min(first + ROWS_AT_ONCE);
            let request = Request::ReadRows {
                layer: number(layer),
                rows: [number(first), number(end)],
            };
            let Response::Rows(bytes) = ask(&self.module, &request)? else {
                return Err(unexpected());
            };
            let (halves, _) = bytes.as_chunks::<2>();
            let parts = halves.chunks_exact(((end - first) * dims).max(1));
            let all = elements.chunks_exact_mut((rows.len() * dims).max(1));
            for (all, part) in all.zip(parts) {
                let to = all.iter_mut().skip((first - rows.start) * dims);
                let part = part.iter().map(|bits| u16::from_le_bytes(*bits));
                to.zip(part).for_each(|(to, bits)| *to = bits);
            }
        }
        Ok(elements)
    }

    /// Writes such rows, from one on.
    pub(crate) fn write_rows(
        &self,
        layer: usize,
        first_row: usize,
        elements: &[u16],
    ) -> Result<()> {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let dims = self.kv.head_dim;
        let plane = (elements.len() / (self.kv.planes() * self.kv.heads).max(1)).max(1);
        let rows = plane / dims.max(1);
        for first in (0..rows).step_by(ROWS_AT_ONCE) {
            let end = rows.min(first + ROWS_AT_ONCE);
            let of_planes = elements.chunks_exact(plane);
            let part = of_planes.filter_map(|plane| plane.get(first * dims..end * dims));
            let request = Request::WriteRows {
                layer: number(layer),
                first_row: number(first_row + first),
                elements: part.flatten().flat_map(|bits| bits.to_le_bytes()).collect(),
            };
            match ask(&self.module, &request)? {
                Response::Done => {}
                _ => return Err(unexpected()),
            }
        }
        Ok(())
    }

    /// Tokens that there are logits of.
    pub(crate) const fn out_width(&self) -> usize {
        self.out_width
    }

    /// Of the graph.
    pub(crate) const fn kv(&self) -> KvShape {
        self.kv
    }

    /// Rows of the KV cache that were asked for so far.
    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    /// Most rows of the KV cache.
    pub(crate) const fn most_rows(&self) -> usize {
        self.context_length.saturating_mul(CONVERSATIONS)
    }

    /// Runs tokens; the logits that were asked for.
    pub(crate) async fn forward(
        &mut self,
        places: Places,
        ids: &[u32],
        wanted: Wanted,
    ) -> Result<&mut [f32]> {
        // A long prompt is many calls: between them the worker hears of a stop.
        self.macrotask.pass().await;
        let mut request = Request::Forward {
            places,
            ids: ids.to_vec(),
            wanted,
            threads: if ids.len() > 1 {
                self.threads.prefill
            } else {
                self.threads.decode
            },
        };
        let mut response = ask(&self.module, &request)?;
        if matches!(response, Response::ThreadLost) {
            // What it computed is not whole, and is computed again: nobody looks at the cache before.
            self.module.end_threads();
            self.go_on_alone("a thread has ended or does not answer");
            if let Request::Forward { threads, .. } = &mut request {
                *threads = 1;
            }
            response = ask(&self.module, &request)?;
        }
        let Response::Logits { at, len } = response else {
            return Err(unexpected());
        };
        self.counters.steps.fetch_add(1, Ordering::Relaxed);
        let floats = self.module.floats(at, len);
        self.logits = floats
            .map_err(|thrown| from_js(&thrown, "reading logits"))?
            .to_vec();
        Ok(&mut self.logits)
    }

    fn go_on_alone(&mut self, why: &str) {
        self.threads = Threads {
            prefill: 1,
            decode: 1,
        };
        self.host
            .warn(&format!("the CPU executor goes on with one thread: {why}"));
    }

    pub(crate) const fn context_length(&self) -> usize {
        self.context_length
    }

    pub(crate) const fn max_tokens(&self) -> usize {
        self.limits.max_tokens as usize
    }

    /// What can be looked at also while it runs.
    pub(crate) fn gauges(&self) -> Gauges {
        Gauges {
            counters: Arc::clone(&self.counters),
            module: Some(self.module.clone()),
        }
    }

    /// The device as `ModelInfo` describes it.
    pub(crate) fn describe(&self) -> Value {
        json!({
            "kind": "cpu",
            "name": "CPU",
            "reason": self.reason,
            "simd": self.simd,
            "threads": self.threads.decode,
            "prefill_threads": self.threads.prefill,
            "threads_limited_by": self.module.limited(),
        })
    }
}

/// Tokens, and bytes of memory, that the module may be given.
fn limits(options: &Options) -> (Limits, u64) {
    let limits = Limits {
        context_length: options.context_length,
        ..Limits::default()
    };
    let most = options.memory_bytes().unwrap_or(MOST_BYTES).min(MOST_BYTES);
    (limits, most)
}

/// Tokens of the longest conversation that the module's memory has room for, and the bytes that it takes then.
///
/// # Errors
/// As [`CpuExecutor::open`], as far as the model's size has to do with it.
pub(crate) fn fit(graph: &Graph, options: &Options) -> Result<(usize, u64)> {
    let (limits, most) = limits(options);
    let bytes = needed(graph, limits, most, 1)?;
    let context_length = limits.context_length(graph);
    // The cache grows by steps, of which the last must fit as a whole.
    let all = |tokens: usize| -> Result<u64> {
        let capacity = grown_capacity(tokens, context_length)?;
        Ok(module_bytes(graph, capacity))
    };
    let (mut fits, mut too_many) = (1, context_length.saturating_add(1));
    while too_many.saturating_sub(fits) > 1 {
        let tokens = fits.midpoint(too_many);
        if all(tokens)? <= most {
            fits = tokens;
        } else {
            too_many = tokens;
        }
    }
    Ok((fits, bytes))
}

/// Bytes of memory that the module may be given: room for so many conversations of the whole context, if that is to be had.
///
/// # Errors
/// `out_of_memory` when not even the first of it fits.
fn needed(graph: &Graph, limits: Limits, most: u64, conversations: usize) -> Result<u64> {
    let context_length = limits.context_length(graph);
    let least = module_bytes(graph, grown_capacity(1, context_length)?);
    if least > most {
        return Err(Error::new(
            ErrorCode::OutOfMemory,
            format!(
                "the model needs {least} bytes of memory on the CPU, and a page's module has at most {most}; take a \
                 smaller model or one with fewer bits a weight, or a device with WebGPU"
            ),
        )
        .detail("needed_bytes", least)
        .detail("limit_bytes", most));
    }
    let all = context_length.saturating_mul(conversations);
    Ok(module_bytes(graph, all).min(most))
}

/// Bytes of the module's memory where the cache has room for so many tokens.
fn module_bytes(graph: &Graph, tokens: usize) -> u64 {
    executor::bytes(graph, tokens).saturating_add(OVERHEAD_BYTES)
}

fn ask(module: &CpuModule, request: &Request) -> Result<Response> {
    let bytes = encode(request)?;
    let answer = module
        .call(Uint8Array::from(bytes.as_slice()))
        .map_err(|thrown| from_js(&thrown, "the CPU executor"))?;
    match decode(&answer)? {
        Response::Failed(json) => Err(Error::from_json(&json)),
        response => Ok(response),
    }
}

fn unexpected() -> Error {
    Error::internal("the CPU executor gave another answer than it was asked for")
}
