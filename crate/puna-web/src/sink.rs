//! Takes the header and the chunks that the loader brings, and makes an engine's parts of them.

use std::future::ready;
use std::ops::Range;

use js_sys::Uint8Array;
use puna_core::adapter::{self, Adapter};
use puna_core::chat::{ChatTemplate, Date};
use puna_core::config::ModelConfig;
use puna_core::graph::{Graph, LowRank};
use puna_core::prepared::Prepared;
use puna_core::tokenizer::Tokenizer;
use puna_core::weights::header::Header;
use puna_core::weights::plan::{Chunk, Plan};
use puna_core::{Error, Result};
use puna_gpu::ExecutorOptions;
use puna_gpu::choices::Choices;

use crate::adapters::Wanted;
use crate::cpu::{CpuExecutor, CpuHost};
use crate::executor::{Aside, Executor};
use crate::gpu;
use crate::loader::{CacheMode, ChunkSink, Taking};
use crate::options::{Device, Options, Precision};
use crate::scoring;
use crate::timer;
use crate::tuning::Tuning;

/// What is made of a header.
pub(crate) struct Parts {
    pub(crate) config: ModelConfig,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) template: ChatTemplate,
    pub(crate) executor: Executor,
    /// Those that were wanted, and the room that there is for them.
    pub(crate) adapters: Vec<Adapter>,
    pub(crate) low_ranks: Vec<LowRank>,
}

/// Hands weights to the device that was asked for.
pub(crate) struct Sink<'a> {
    options: &'a Options,
    cpu: CpuHost,
    wanted: &'a [Wanted],
    parts: Option<Parts>,
}

impl<'a> Sink<'a> {
    pub(crate) const fn new(options: &'a Options, cpu: CpuHost, wanted: &'a [Wanted]) -> Self {
        Self {
            options,
            cpu,
            wanted,
            parts: None,
        }
    }

    /// The finished parts, when all chunks are there.
    pub(crate) async fn finish(self) -> Result<Parts> {
        let mut parts = self
            .parts
            .ok_or_else(|| Error::internal("the loader brought no header"))?;
        parts.executor.finish_upload().await?;
        Ok(parts)
    }
}

impl Sink<'_> {
    async fn open(&self, graph: Graph, n_tensors: usize) -> Result<Executor> {
        let options = self.options;
        match options.device() {
            Device::Webgpu => {
                let device = gpu::open().await?;
                let split = gpu::split(&device, options)?;
                let precision = gpu::precision(&device, options)?;
                let tuning = if options.tune() && options.cache() != CacheMode::Off {
                    Tuning::open(&gpu::identity(&device, split, precision)).await
                } else {
                    None
                };
                let choices = match &tuning {
                    Some(tuning) => tuning.read().await,
                    None => Choices::default(),
                };
                let how = ExecutorOptions {
                    split: Some(split),
                    precision,
                    rounds: options.precision() == Precision::Auto,
                    choices,
                    kv: options.kv(),
                    context_length: options.context_length,
                    max_logits: scoring::rows(graph.out_width),
                    tick: gpu::tick(&device, options.poke()).await?,
                    clock: Some(Box::new(timer::now)),
                    ..ExecutorOptions::default()
                };
                let executor = puna_gpu::Executor::new(device, graph, n_tensors, how).await?;
                let aside = Aside {
                    reason: options.device_reason().to_owned(),
                    tunes: options.tune(),
                    tuning,
                };
                Ok(Executor::Gpu(Box::new(executor), aside))
            }
            Device::Cpu => {
                let host = self.cpu.clone();
                let executor = CpuExecutor::open(host, graph, n_tensors, options).await?;
                Ok(Executor::Cpu(Box::new(executor)))
            }
        }
    }
}

impl ChunkSink for Sink<'_> {
    fn header<'a>(&'a mut self, header: &'a Header, _plan: &'a Plan) -> Taking<'a> {
        Box::pin(self.begin(header))
    }

    fn chunk<'a>(&'a mut self, chunk: &'a Chunk, bytes: &'a Uint8Array) -> Taking<'a> {
        Box::pin(ready(self.upload(chunk, bytes)))
    }
}

impl Sink<'_> {
    async fn begin(&mut self, header: &Header) -> Result<()> {
        // A second header means that the file has changed: the old weights go first.
        self.parts = None;
        // What can be refused is refused before the download.
        let Prepared {
            config,
            graph,
            tokenizer,
            mut template,
        } = Prepared::new(header, &self.options.wishes()?)?;
        if let Some(date) = today() {
            template.set_date(date);
        }
        let mut adapters = Vec::new();
        for wanted in self.wanted {
            adapters.push(Adapter::new(&wanted.name, &wanted.header, header)?);
        }
        let graph = adapter::attach(graph, &adapters)?;
        let low_ranks = graph.low_ranks.clone();
        let executor = self.open(graph, header.tensors.len()).await?;
        self.parts = Some(Parts {
            config,
            tokenizer,
            template,
            executor,
            adapters,
            low_ranks,
        });
        Ok(())
    }

    fn upload(&mut self, chunk: &Chunk, bytes: &Uint8Array) -> Result<()> {
        let Some(Parts { executor, .. }) = &mut self.parts else {
            return Err(Error::internal("a chunk came before the header"));
        };
        match executor {
            Executor::Gpu(executor, _) => {
                let slot = executor.upload_slot(u64::from(chunk.bytes));
                gpu::write(executor.gpu(), &slot, bytes)?;
                let part = |range: Range<usize>| {
                    let [start, end] =
                        [range.start, range.end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
                    bytes.subarray(start, end).to_vec()
                };
                executor.upload(chunk, &slot, &part)
            }
            Executor::Cpu(executor) => executor.upload(chunk, bytes),
        }
    }
}

fn today() -> Option<Date> {
    let now = js_sys::Date::new_0();
    let part = |value: u32| u8::try_from(value).ok();
    Date::new(
        u16::try_from(now.get_full_year()).ok()?,
        part(now.get_month())?.checked_add(1)?,
        part(now.get_date())?,
    )
}
