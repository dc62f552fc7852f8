//! The adapters of a model: read before it, so that what does not fit is told before the download, and loaded behind it.

use std::future::ready;

use js_sys::{Array, Uint8Array};
use puna_core::adapter::{Adapter, Gathering, Scales};
use puna_core::graph::LowRank;
use puna_core::weights::header::Header;
use puna_core::weights::plan::{Chunk, Plan};
use puna_core::{Error, Result};
use serde_json::{Value, json};
use web_sys::AbortSignal;

use crate::executor::Executor;
use crate::loader::{self, ChunkSink, LoadOptions, ModelSource, Taking};
use crate::options::AdapterOption;
use crate::progress::Progress;

/// An adapter whose header was read.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: String,
    pub(crate) header: Header,
    source: ModelSource,
    scale: f32,
}

/// Reads their headers: of `sources`, of which `options` tells the rest.
///
/// # Errors
/// Those of the loader; `invalid_request` for names that are there twice.
pub(crate) async fn read(
    options: &[AdapterOption],
    sources: &Array,
    load: LoadOptions,
    signal: Option<&AbortSignal>,
) -> Result<Vec<Wanted>> {
    let mut all: Vec<Wanted> = Vec::new();
    for (option, source) in options.iter().zip(sources.iter()) {
        let source = ModelSource::from_js(&source)?;
        let progress = Progress::new(None);
        let read = loader::read_header(&source, load, &progress, signal).await?;
        let name = option.name.clone().unwrap_or(read.name);
        if all.iter().any(|other| other.name == name) {
            return Err(Error::invalid_request(
                "adapters",
                format!("adapters: two are called {name:?}; give each a name"),
            ));
        }
        all.push(Wanted {
            name,
            header: read.header,
            source,
            scale: option.scale,
        });
    }
    Ok(all)
}

/// Brings them to the executor, of whose graph they are.
///
/// # Errors
/// Those of the loader and the device.
pub(crate) async fn load(
    wanted: &[Wanted],
    (adapters, low_ranks): (&[Adapter], &[LowRank]),
    executor: &mut Executor,
    load: LoadOptions,
    progress: &Progress,
    signal: Option<&AbortSignal>,
) -> Result<()> {
    for (ix, (wanted, adapter)) in wanted.iter().zip(adapters).enumerate() {
        // Counted apart: how large all are together is not known before.
        progress.restart();
        let mut sink = Sink {
            executor,
            adapter,
            ix,
            low_ranks,
            gathering: Gathering::new(adapter, ix, low_ranks),
        };
        loader::load(&wanted.source, load, progress, signal, &mut sink).await?;
        sink.gathering.finish()?;
    }
    Ok(())
}

struct Sink<'a> {
    executor: &'a mut Executor,
    adapter: &'a Adapter,
    ix: usize,
    low_ranks: &'a [LowRank],
    gathering: Gathering<'a>,
}

impl ChunkSink for Sink<'_> {
    fn header<'a>(&'a mut self, header: &'a Header, _plan: &'a Plan) -> Taking<'a> {
        Box::pin(ready(self.begin(header)))
    }

    fn chunk<'a>(&'a mut self, chunk: &'a Chunk, bytes: &'a Uint8Array) -> Taking<'a> {
        Box::pin(ready(self.take(chunk, bytes)))
    }
}

impl Sink<'_> {
    fn begin(&mut self, header: &Header) -> Result<()> {
        if !self.adapter.is_of(header) {
            return Err(Error::bad_model_file(format!(
                "adapter {}: its file changed while the model was loaded; load both again",
                self.adapter.name
            )));
        }
        self.gathering = Gathering::new(self.adapter, self.ix, self.low_ranks);
        Ok(())
    }

    fn take(&mut self, chunk: &Chunk, bytes: &Uint8Array) -> Result<()> {
        for piece in &chunk.pieces {
            let start = piece.chunk_offset;
            let own = bytes.subarray(start, start.saturating_add(piece.bytes));
            let own = own.to_vec();
            let taken = self
                .gathering
                .take(piece.tensor, piece.tensor_offset, &own)?;
            if let Some(factors) = taken {
                self.executor.put_adapter(factors)?;
            }
        }
        Ok(())
    }
}

/// What they are, as `ModelInfo` has it.
pub(crate) fn about(wanted: &[Wanted], adapters: &[Adapter]) -> Vec<Value> {
    let about = |(wanted, adapter): (&Wanted, &Adapter)| {
        json!({
            "name": wanted.name,
            "scale": wanted.scale,
            "rank": adapter.rank(),
            "targets": adapter.targets(),
        })
    };
    wanted.iter().zip(adapters).map(about).collect()
}

/// What they are multiplied by.
pub(crate) fn scales(wanted: &[Wanted]) -> Scales {
    Scales::new(wanted.iter().map(|it| (it.name.clone(), it.scale)))
}
