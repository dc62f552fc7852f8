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

use js_sys::Uint8Array;
use puna_core::weights::gguf::{Gguf, MAX_HEADER_BYTES, Parsed};
use puna_core::weights::manifest::Manifest;
use puna_core::weights::plan::{CHUNK_BYTES, Chunk, LANES, Plan};
use puna_core::{Error, ErrorCode, Result};
use web_sys::{AbortSignal, Blob, RequestCache, Url};

use crate::abort::Abort;
use crate::cache_index::Index;
use crate::digest::{self, sha256};
use crate::fetch::{Context, Remote};
use crate::js_error::{from_js, global, text};
use crate::lanes::{Turn, all};
use crate::progress::{Progress, Stage};
use crate::source::{Shards, Source, WebFile, read_blob, read_manifest};
use crate::store::{Entry, Store};

/// The first request; most of a small model's header, and enough to tell what it is.
const FIRST_BYTES: u32 = 256 << 10;
/// Each request for more of the header asks for so many times as much.
const GROWTH: u32 = 4;

/// Who takes the chunks: the uploader to the GPU.
#[allow(
    async_fn_in_trait,
    reason = "one thread: nobody needs these futures to be Send"
)]
pub trait ChunkSink {
    /// The header was read; chunks of this plan follow. If it comes a second time, the file was found to have changed, and everything
    /// that came before is void.
    async fn header(&mut self, gguf: &Gguf, plan: &Plan) -> Result<()>;

    /// One chunk, in any order, each once; those without pieces are left out. `bytes` are the chunk's, and are overwritten when this is
    /// done: taking one's time here slows the download down. Behind them in their buffer is room up to a multiple of 4 bytes.
    async fn chunk(&mut self, chunk: &Chunk, bytes: &Uint8Array) -> Result<()>;
}

/// What to load.
#[derive(Clone, Debug)]
pub enum ModelSource {
    /// The address of a GGUF or of a manifest of shards, absolute or relative to the page.
    Url(String),
    /// A file that the user has chosen.
    Blob(Blob),
}

/// Whether a copy is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// If the browser can and there is room; otherwise it is mentioned in the progress.
    #[default]
    Auto,
    /// Or else loading fails, with `storage_full` if there is no room.
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
}

/// What was loaded.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The header.
    pub gguf: Gguf,
    /// Size of the file.
    pub file_bytes: u64,
    /// The last part of the address, or the file's name.
    pub name: String,
}

/// Loads a model into `sink`.
pub async fn load<S: ChunkSink>(
    source: &ModelSource,
    options: LoadOptions,
    progress: &Progress,
    signal: Option<&AbortSignal>,
    sink: &mut S,
) -> Result<Loaded> {
    progress.enter(Stage::Header);
    let result = match source {
        ModelSource::Blob(blob) => load_blob(progress, blob, signal, sink).await,
        ModelSource::Url(url) => load_url(progress, &absolute(url)?, options, signal, sink).await,
    };
    // Whatever else an abort made fail, it was the abort.
    match signal {
        Some(signal) if signal.aborted() => {
            Err(Error::new(ErrorCode::Aborted, "loading was stopped"))
        }
        _ => result,
    }
}

async fn load_blob<S: ChunkSink>(
    progress: &Progress,
    blob: &Blob,
    signal: Option<&AbortSignal>,
    sink: &mut S,
) -> Result<Loaded> {
    let abort = Abort::new(signal)?;
    let context = Context {
        abort: &abort,
        progress,
    };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a blob's size is a whole number below 2^53"
    )]
    let file_bytes = blob.size() as u64;
    let read = async |wanted: u32| {
        let buffer = Uint8Array::new_with_length(
            u32::try_from(file_bytes).map_or(wanted, |bytes| bytes.min(wanted)),
        );
        read_blob(blob, 0, &buffer).await?;
        Ok(buffer)
    };
    let gguf = read_header(read).await?;
    let plan = Plan::new(&gguf, file_bytes, CHUNK_BYTES)?;
    let name = text(blob, "name").unwrap_or_default();
    run(
        context,
        &Source::Local(blob.clone()),
        &gguf,
        &plan,
        None,
        sink,
    )
    .await?;
    Ok(Loaded {
        gguf,
        file_bytes,
        name,
    })
}

async fn load_url<S: ChunkSink>(
    progress: &Progress,
    url: &str,
    options: LoadOptions,
    signal: Option<&AbortSignal>,
    sink: &mut S,
) -> Result<Loaded> {
    let cache = Cache::open(progress, url, options).await?;
    let mut try_cached = true;
    loop {
        // A failed attempt stops all its requests, and those alone.
        let abort = Abort::new(signal)?;
        abort.check()?;
        let context = Context {
            abort: &abort,
            progress,
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
            &opened.gguf,
            &opened.plan,
            Some(&cache),
            sink,
        )
        .await
        {
            Ok(()) => {
                let name = url.rsplit('/').next().unwrap_or_default();
                return Ok(Loaded {
                    gguf: opened.gguf,
                    file_bytes: opened.plan.file_bytes,
                    name: name.to_owned(),
                });
            }
            // Once: without the cache there is nothing to be outdated.
            Err(_) if was_cached && opened.source.is_outdated() => {
                try_cached = false;
                progress.restart();
            }
            Err(error) => return Err(error),
        }
    }
}

/// A model whose header is known.
struct Opened<'a> {
    source: Source<'a>,
    gguf: Gguf,
    plan: Plan,
}

/// Opens a model whose header is in the cache. `None` if it isn't, or not as it should be.
async fn open_cached<'a>(
    context: Context<'a>,
    url: &str,
    entry: &Entry,
    revalidate: bool,
) -> Result<Option<Opened<'a>>> {
    let Some(index) = entry.index() else {
        return Ok(None);
    };
    let Some((gguf, plan)) = cached_header(&index, entry).await else {
        return Ok(None);
    };
    let source = if index.sharded {
        Source::Shards(Shards::cached(context, url, index.validator.clone()))
    } else {
        let remote = Remote::cached(
            context,
            url,
            index.validator.clone(),
            Some(index.file_bytes),
        );
        if revalidate {
            // No answer, no news.
            let _ = remote.open(Some(&(0..1)), RequestCache::NoStore).await;
            context.abort.check()?;
            if remote.outdated.get() {
                return Ok(None);
            }
        }
        Source::Web(WebFile::new(remote))
    };
    Ok(Some(Opened { source, gguf, plan }))
}

async fn cached_header(index: &Index, entry: &Entry) -> Option<(Gguf, Plan)> {
    let mut prefix = Vec::new();
    for (ix, (offset, bytes)) in index.cuts().into_iter().enumerate() {
        let buffer = Uint8Array::new_with_length(bytes);
        let expected = index.stored(ix)?;
        if offset > MAX_HEADER_BYTES
            || !entry.read(offset, &buffer).await
            || sha256(&buffer).await.ok()? != expected
        {
            return None;
        }
        prefix.extend_from_slice(&buffer.to_vec());
        if let Parsed::Done(gguf) = Gguf::parse(&prefix).ok()? {
            let plan = Plan::from_cuts(&gguf, index.file_bytes, index.cuts()).ok()?;
            return Some((gguf, plan));
        }
    }
    None
}

/// Opens a model by asking the server, and prepares the cache's index for it.
async fn open_network<'a>(
    context: Context<'a>,
    url: &str,
    entry: Option<&Entry>,
) -> Result<Opened<'a>> {
    let file = WebFile::new(Remote::new(context, url));
    let first = file.head(FIRST_BYTES).await?.subarray(0, 64);
    let (opened, validator, sharded) = if Manifest::is_likely(&first.to_vec()) {
        let manifest = read_manifest(&file).await?;
        let validator = Some(Shards::validator(&manifest));
        (open_shards(file.remote, manifest).await?, validator, true)
    } else {
        let gguf = read_header(async |wanted| file.head(wanted).await)
            .await
            .map_err(|error| error.context(url))?;
        // Unknown if the server compresses or hides its headers; then the last tensor ends the file.
        let file_bytes = file
            .remote
            .total
            .get()
            .unwrap_or_else(|| end_of_data(&gguf));
        let plan = Plan::new(&gguf, file_bytes, CHUNK_BYTES).map_err(|error| error.context(url))?;
        let validator = file.remote.validator.borrow().clone();
        (
            Opened {
                source: Source::Web(file),
                gguf,
                plan,
            },
            validator,
            false,
        )
    };
    if let Some(entry) = entry {
        let index = Index::new(url, sharded, validator, &opened.plan);
        if entry.index().is_none_or(|old| !old.same_file(&index)) {
            entry.replace(index);
        }
    }
    Ok(opened)
}

async fn open_shards(remote: Remote<'_>, manifest: Manifest) -> Result<Opened<'_>> {
    if !digest::is_available() {
        return Err(Error::new(
            ErrorCode::UnsupportedDevice,
            "shards can't be verified: the page must be served over HTTPS, or from localhost",
        ));
    }
    let (cuts, file_bytes, header_bytes) =
        (manifest.cuts(), manifest.file_bytes, manifest.header.bytes);
    remote.context.progress.set_total(file_bytes);
    let url = remote.url.clone();
    let shards = Shards::new(remote, manifest);
    let header = Uint8Array::new_with_length(header_bytes);
    shards.read(0, 0, &header).await?;
    let gguf = match Gguf::parse(&header.to_vec()) {
        Ok(Parsed::Done(gguf)) => gguf,
        Ok(Parsed::NeedMore { at_least }) => {
            let message = format!(
                "the header's shard has {header_bytes} bytes; the header has at least {at_least}"
            );
            return Err(Error::bad_model_file(message).context(url));
        }
        Err(error) => return Err(error.context(url)),
    };
    let plan = Plan::from_cuts(&gguf, file_bytes, cuts).map_err(|error| error.context(url))?;
    shards.keep_header(header);
    Ok(Opened {
        source: Source::Shards(shards),
        gguf,
        plan,
    })
}

/// Reads as much of a file's front as the header takes. `read` returns as many bytes as asked for, or all that there are.
async fn read_header(read: impl AsyncFn(u32) -> Result<Uint8Array>) -> Result<Gguf> {
    let mut wanted = FIRST_BYTES;
    loop {
        let head = read(wanted).await?;
        // Into wasm's memory, and out again before the weights come.
        match Gguf::parse(&head.to_vec())? {
            Parsed::Done(gguf) => return Ok(gguf),
            Parsed::NeedMore { at_least } if head.length() < wanted => {
                return Err(Error::bad_model_file(format!(
                    "the file ends at byte {}, inside its header, which has at least {at_least} bytes; it is cut short",
                    head.length()
                )));
            }
            Parsed::NeedMore { at_least } => {
                let limit = u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX);
                let at_least = u32::try_from(at_least).unwrap_or(limit);
                wanted = wanted.saturating_mul(GROWTH).min(limit).max(at_least);
            }
        }
    }
}

/// Brings all chunks to the sink.
async fn run<S: ChunkSink>(
    context: Context<'_>,
    source: &Source<'_>,
    gguf: &Gguf,
    plan: &Plan,
    cache: Option<&Cache<'_>>,
    sink: &mut S,
) -> Result<()> {
    context.progress.set_total(plan.file_bytes);
    context.progress.enter(Stage::Weights);
    sink.header(gguf, plan).await?;
    let sink = Turn::new(sink);
    let next = Cell::new(0);
    let largest = plan.largest_chunk_bytes().next_multiple_of(4);
    let lane = async || {
        let buffer = Uint8Array::new_with_length(largest);
        loop {
            let ix = next.get();
            let Some(chunk) = plan.chunks.get(ix) else {
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
            context.progress.cached(chunk.bytes.into());
            return Ok(true);
        }
        entry.forget(ix);
    }
    let stores = match cache {
        Some(cache) => cache.is_open().await?,
        None => false,
    };
    if chunk.pieces.is_empty() && !stores {
        context.progress.skipped(chunk.bytes.into());
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

/// The cache's entry of this model, if there may be one, and what to do when it fails.
struct Cache<'a> {
    progress: &'a Progress,
    entry: Option<Entry>,
    required: bool,
    /// It has failed, and is left alone; what it holds can still be read.
    failed: Cell<bool>,
}

impl<'a> Cache<'a> {
    async fn open(progress: &'a Progress, url: &str, options: LoadOptions) -> Result<Self> {
        let required = options.cache == CacheMode::Required;
        let cache = |entry| Self {
            progress,
            entry,
            required,
            failed: Cell::new(false),
        };
        if options.cache == CacheMode::Off || !url.starts_with("http") {
            return Ok(cache(None));
        }
        let none = cache(None);
        match Self::find(url).await {
            Ok(Some(entry)) => return Ok(cache(Some(entry))),
            Ok(None) => none.give_up(Error::new(
                ErrorCode::UnsupportedDevice,
                "this browser offers no private file system here",
            ))?,
            Err(error) => none.give_up(error)?,
        }
        Ok(none)
    }

    async fn find(url: &str) -> Result<Option<Entry>> {
        match Store::open().await? {
            Some(store) => store.entry(url).await.map(Some),
            None => Ok(None),
        }
    }

    /// Opens the entry for writing if something is missing in it.
    async fn make_ready(&self) -> Result<()> {
        match self.entry.as_ref().and_then(Entry::index) {
            Some(index) if !index.is_complete() => self.is_open().await.map(drop),
            _ => Ok(()),
        }
    }

    /// Whether chunks can be stored.
    async fn is_open(&self) -> Result<bool> {
        let Some(entry) = self.entry.as_ref().filter(|_| !self.failed.get()) else {
            return Ok(false);
        };
        if let Err(error) = entry.open_for_writing().await {
            self.give_up(error)?;
        }
        Ok(!self.failed.get())
    }

    async fn put(&self, ix: usize, chunk: &Chunk, bytes: &Uint8Array) -> Result<()> {
        let sum = sha256(bytes).await?;
        let Some(entry) = self.entry.as_ref().filter(|_| !self.failed.get()) else {
            return Ok(());
        };
        entry
            .put(ix, chunk.offset, bytes, sum)
            .or_else(|error| self.give_up(error))
    }

    fn save(&self) {
        if let Some(entry) = &self.entry {
            // A failure costs a second download and nothing else.
            let _ = entry.save();
        }
    }

    /// The model can't be stored. That is an error only for who insists.
    fn give_up(&self, error: Error) -> Result<()> {
        if self.required {
            return Err(error);
        }
        if !self.failed.replace(true) {
            self.progress.warn(format!(
                "the model is not kept for the next time: {}",
                error.message()
            ));
        }
        Ok(())
    }
}

fn end_of_data(gguf: &Gguf) -> u64 {
    let ends = gguf
        .tensors
        .iter()
        .map(|tensor| tensor.offset.saturating_add(tensor.bytes));
    ends.max().unwrap_or(gguf.data_offset)
}

/// The address without its fragment, seen from the page or worker.
fn absolute(url: &str) -> Result<String> {
    let base =
        global::<wasm_bindgen::JsValue>("location").and_then(|location| text(&location, "href"));
    let parsed = Url::new(url).or_else(|thrown| match base {
        Some(base) => Url::new_with_base(url, &base),
        None => Err(thrown),
    });
    let parsed = parsed.map_err(|thrown| {
        Error::invalid_request(
            "source",
            from_js(&thrown, &format!("{url:?} is not an address")).message(),
        )
    })?;
    parsed.set_hash("");
    Ok(parsed.href())
}
