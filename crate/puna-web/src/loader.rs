//! Brings a model's weights from wherever they are to whoever takes them, and keeps a copy in the cache.
//!
//! The header first, then [`LANES`] chunks at a time: from the cache if they are there and their checksum is right, else from
//! the network. A chunk's bytes are in one buffer outside of wasm's memory: filled, hashed, stored, handed on, used again.
//!
//! An address is taken for immutable: a model that is in the cache is loaded without asking anybody. That the file has changed is
//! noticed when a part of it must be fetched; then what the cache has is dropped and loading starts over.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;

use js_sys::{Array, Uint8Array};
use puna_core::weights::header::Header;
use puna_core::weights::plan::{Chunk, LANES, Plan};
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Blob};

use crate::abort::Abort;
use crate::address::{Address, is_lasting};
use crate::buffer::{allocate, release};
use crate::cache::{Cache, not_cacheable};
use crate::digest::sha256;
use crate::fetch::Context;
use crate::lanes::{Turn, all};
use crate::local_file::LocalFile;
use crate::open::{Opened, open_cached, open_network};
use crate::open_local::open_local;
use crate::progress::{Progress, Stage};
use crate::source::Source;
use crate::store::Store;

/// What a sink is at.
pub type Taking<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// Who takes the chunks: the uploader to the device. Loading is there once, whoever that is.
pub trait ChunkSink {
    /// The header was read; chunks of this plan follow. If it comes a second time, the file was found to have changed, and everything
    /// that came before is void.
    fn header<'a>(&'a mut self, header: &'a Header, plan: &'a Plan) -> Taking<'a>;

    /// One chunk, in any order, each once; those without pieces are left out. `bytes` are the chunk's, and are overwritten when this is
    /// done: taking one's time here slows the download down. Behind them in their buffer is room up to a multiple of 4 bytes.
    fn chunk<'a>(&'a mut self, chunk: &'a Chunk, bytes: &'a Uint8Array) -> Taking<'a>;
}

/// What to load.
#[derive(Clone, Debug)]
pub enum ModelSource {
    /// The address of a GGUF, of a manifest of shards or of a checkpoint, absolute or relative to the page.
    Url(String),
    /// Files that the user has chosen: a GGUF, the parts of a split one, or those of a checkpoint.
    Files(Vec<Blob>),
}

impl ModelSource {
    /// What JavaScript gives as one: a string, a `Blob`, or an array of `File`s.
    ///
    /// # Errors
    /// `invalid_request` for anything else.
    pub fn from_js(source: &JsValue) -> Result<Self> {
        if let Some(url) = source.as_string() {
            return Ok(Self::Url(url));
        }
        let several = source
            .dyn_ref::<Array>()
            .map(|array| array.iter().collect());
        let blobs: Vec<JsValue> = several.unwrap_or_else(|| vec![source.clone()]);
        let blobs: std::result::Result<Vec<Blob>, _> =
            blobs.into_iter().map(JsCast::dyn_into).collect();
        match blobs {
            Ok(blobs) if !blobs.is_empty() => Ok(Self::Files(blobs)),
            _ => Err(Error::invalid_request(
                "source",
                "the source is neither a URL nor a Blob, nor files",
            )),
        }
    }
}

/// Whether a copy is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// If the browser can and there is room; otherwise it is mentioned in the progress.
    #[default]
    Auto,
    /// Or else loading fails: with `storage_full` if there is no room, `unsupported_device` if the browser has no place for it, and
    /// `invalid_request` if the source is none that can be kept.
    Required,
    /// No, and none is used.
    Off,
}

/// How to load.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions {
    /// Whether a copy is kept.
    pub cache: CacheMode,
    /// Whether to ask the server if the file has changed although all of it is in the cache. Without a connection, what is there is used.
    pub revalidate: bool,
    /// Whether it is an adapter and not a model.
    pub of_adapter: bool,
}

impl LoadOptions {
    /// The address of a source. An adapter in a folder has that of its settings: a model may be beside it.
    fn address(self, url: &str) -> Result<Address> {
        match self.of_adapter {
            true => Address::of_adapter(url),
            false => Address::parse(url, "source"),
        }
    }
}

/// What was loaded, or would be.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The header.
    pub header: Header,
    /// Size of the file.
    pub file_bytes: u64,
    /// The last part of the address, the name in the manifest, or the file's name; else what the header calls the model. Never empty.
    pub name: String,
}

impl Loaded {
    fn new(address: &Address, opened: Opened<'_>) -> Self {
        let known = opened.name.as_deref().unwrap_or(&address.name);
        Self {
            name: name(Some(known), &opened.header),
            header: opened.header,
            file_bytes: opened.plan.file_bytes,
        }
    }
}

/// Loads a model into `sink`.
pub async fn load(
    source: &ModelSource,
    options: LoadOptions,
    progress: &Progress,
    signal: Option<&AbortSignal>,
    sink: &mut dyn ChunkSink,
) -> Result<Loaded> {
    progress.enter(Stage::Header);
    let result = match source {
        ModelSource::Files(_) if options.cache == CacheMode::Required => {
            Err(not_cacheable("a local file"))
        }
        ModelSource::Files(files) => {
            load_files(progress, files, options.of_adapter, signal, sink).await
        }
        ModelSource::Url(url) => {
            let address = options.address(url)?;
            load_url(progress, &address, options, signal, sink).await
        }
    };
    aborted_or(signal, result)
}

/// Reads a model's header and nothing else: from the cache where it is there. Nothing is kept.
pub async fn read_header(
    source: &ModelSource,
    options: LoadOptions,
    progress: &Progress,
    signal: Option<&AbortSignal>,
) -> Result<Loaded> {
    let read = async {
        let abort = Abort::new(signal)?;
        abort.check()?;
        let context = Context {
            abort: &abort,
            progress,
            is_thrifty: true,
            of_adapter: options.of_adapter,
        };
        match source {
            ModelSource::Files(files) => {
                let (_, loaded) = open_files(context, files).await?;
                Ok(loaded)
            }
            ModelSource::Url(url) => {
                let address = options.address(url)?;
                open_header(context, &address, options).await
            }
        }
    };
    aborted_or(signal, read.await)
}

async fn open_header(
    context: Context<'_>,
    address: &Address,
    options: LoadOptions,
) -> Result<Loaded> {
    let url = address.url.as_str();
    // A cache that can't be read costs a request and nothing else.
    let entry = match options.cache != CacheMode::Off && is_lasting(url) {
        true => Store::existing(url).await,
        false => None,
    };
    let opened = match &entry {
        Some(entry) => open_cached(context, url, entry, options.revalidate).await?,
        None => None,
    };
    let opened = match opened {
        Some(opened) => opened,
        None => open_network(context, url, None).await?,
    };
    Ok(Loaded::new(address, opened))
}

/// Whatever else an abort made fail, it was the abort.
fn aborted_or<T>(signal: Option<&AbortSignal>, result: Result<T>) -> Result<T> {
    match signal {
        Some(signal) if signal.aborted() => {
            Err(Error::new(ErrorCode::Aborted, "loading was stopped"))
        }
        _ => result,
    }
}

async fn load_files(
    progress: &Progress,
    files: &[Blob],
    of_adapter: bool,
    signal: Option<&AbortSignal>,
    sink: &mut dyn ChunkSink,
) -> Result<Loaded> {
    let abort = Abort::new(signal)?;
    let context = Context {
        abort: &abort,
        progress,
        is_thrifty: false,
        of_adapter,
    };
    let ((source, plan), loaded) = open_files(context, files).await?;
    run(context, &source, &loaded.header, &plan, None, sink).await?;
    Ok(loaded)
}

async fn open_files<'a>(
    context: Context<'a>,
    files: &[Blob],
) -> Result<((Source<'a>, Plan), Loaded)> {
    let files: Vec<_> = files.iter().cloned().map(LocalFile::new).collect();
    let only = match files.as_slice() {
        [only] => Some(only.name.clone()),
        _ => None,
    };
    let (files, header, plan) = open_local(context, files).await?;
    let loaded = Loaded {
        name: name(only.as_deref(), &header),
        file_bytes: plan.file_bytes,
        header,
    };
    Ok(((Source::Local(files), plan), loaded))
}

async fn load_url(
    progress: &Progress,
    address: &Address,
    options: LoadOptions,
    signal: Option<&AbortSignal>,
    sink: &mut dyn ChunkSink,
) -> Result<Loaded> {
    let url = address.url.as_str();
    let cache = Cache::open(progress, url, options).await?;
    let mut try_cached = true;
    loop {
        // A failed attempt stops all its requests, and those alone.
        let abort = Abort::new(signal)?;
        abort.check()?;
        let context = Context {
            abort: &abort,
            progress,
            is_thrifty: false,
            of_adapter: options.of_adapter,
        };
        let opened = match cache.entry.as_ref().filter(|_| try_cached) {
            Some(entry) => open_cached(context, url, entry, options.revalidate).await?,
            None => None,
        };
        let was_cached = opened.is_some();
        let opened = match opened {
            Some(opened) => opened,
            None => open_network(context, url, cache.entry.as_ref()).await?,
        };
        cache.make_ready().await?;
        match run(
            context,
            &opened.source,
            &opened.header,
            &opened.plan,
            Some(&cache),
            sink,
        )
        .await
        {
            Ok(()) => return Ok(Loaded::new(address, opened)),
            // Once: without the cache there is nothing to be outdated.
            Err(_) if was_cached && opened.source.is_outdated() => {
                try_cached = false;
                progress.restart();
            }
            Err(error) => return Err(error),
        }
    }
}

/// Brings all chunks to the sink.
async fn run(
    context: Context<'_>,
    source: &Source<'_>,
    header: &Header,
    plan: &Plan,
    cache: Option<&Cache<'_>>,
    sink: &mut dyn ChunkSink,
) -> Result<()> {
    context.progress.set_total(plan.file_bytes);
    context.progress.enter(Stage::Weights);
    // The sink takes its time, in which a tab may be closed.
    if let Some(cache) = cache {
        cache.save();
    }
    sink.header(header, plan).await?;
    let sink = Turn::new(sink);
    let next = Cell::new(0);
    let largest = plan.largest_chunk_bytes().next_multiple_of(4);
    let lane = async || {
        let buffer = allocate(largest)?;
        loop {
            let ix = next.get();
            let Some(chunk) = plan.chunks.get(ix) else {
                release(&buffer.buffer());
                return Ok(());
            };
            next.set(ix.saturating_add(1));
            context.abort.check()?;
            let bytes = buffer.subarray(0, chunk.bytes);
            let needed = bring(context, source, ix, chunk, cache, &bytes).await;
            if needed.map_err(|error| error.context(format!("chunk {ix}")))?
                && !chunk.pieces.is_empty()
            {
                sink.take().await.chunk(chunk, &bytes).await?;
            }
        }
    };
    let lanes = (0..LANES.min(plan.chunks.len()))
        .map(|_| Box::pin(lane()) as Pin<Box<dyn Future<Output = _>>>);
    let result = all(lanes.collect(), || context.abort.cancel()).await;
    if let Some(cache) = cache {
        cache.save();
    }
    result?;
    context.progress.enter(Stage::Weights);
    Ok(())
}

/// Fills `bytes` with a chunk, from the cache or the source, and stores it. `false` if nobody needs it.
async fn bring(
    context: Context<'_>,
    source: &Source<'_>,
    ix: usize,
    chunk: &Chunk,
    cache: Option<&Cache<'_>>,
    bytes: &Uint8Array,
) -> Result<bool> {
    if let Some(entry) = cache.and_then(|cache| cache.entry.as_ref())
        && let Some(expected) = entry.stored(ix)
    {
        if entry.read(chunk.offset, bytes).await && sha256(bytes).await? == expected {
            let counted = source.counted(ix, chunk);
            context
                .progress
                .cached(u64::from(chunk.bytes).saturating_sub(counted));
            return Ok(true);
        }
        entry.forget(ix);
    }
    let stores = match cache {
        Some(cache) => cache.is_open().await?,
        None => false,
    };
    if chunk.pieces.is_empty() && !stores {
        match source {
            // It is at hand, and was read with the header.
            Source::Local(_) => context.progress.cached(chunk.bytes.into()),
            Source::Web(_) | Source::Shards(_) => context
                .progress
                .unneeded(u64::from(chunk.bytes).saturating_sub(source.counted(ix, chunk))),
        }
        return Ok(false);
    }
    source.fill(ix, chunk.offset, bytes).await?;
    if let Source::Local(_) = source {
        context.progress.cached(chunk.bytes.into());
    }
    if let (Some(cache), true) = (cache, stores) {
        cache.put(ix, chunk, bytes).await?;
    }
    Ok(true)
}

/// What a model is called: as `known`, else as its header says.
fn name(known: Option<&str>, header: &Header) -> String {
    first_name([known, header.metadata.str("general.name")])
}

/// The first of these that says something.
fn first_name(names: [Option<&str>; 2]) -> String {
    let name = names
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|name| !name.is_empty());
    name.unwrap_or("model").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_never_without_a_name() {
        for (names, expected) in [
            ([Some("a b.gguf"), Some("A B")], "a b.gguf"),
            ([Some(""), Some("A B")], "A B"),
            ([None, Some("A B")], "A B"),
            ([Some(""), Some(" ")], "model"),
            ([None, None], "model"),
        ] {
            assert_eq!(first_name(names), expected, "{names:?}");
        }
    }
}
