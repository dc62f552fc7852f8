//! Where a model's bytes come from: a local file, a file on a server, or shards on one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use js_sys::Uint8Array;
use puna_core::weights::manifest::{Manifest, resolve};
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, RequestCache};

use crate::digest::sha256;
use crate::fetch::{Body, Context, Fault, Got, Remote, Tries};
use crate::http::Answer;
use crate::js_error::from_js;
use crate::lanes::Turn;
use crate::progress::number;

/// One of the three.
pub(crate) enum Source<'a> {
    Local(Blob),
    Web(WebFile<'a>),
    Shards(Shards<'a>),
}

impl Source<'_> {
    /// Fills `buffer` with the bytes of chunk `ix`, which begins at `offset`.
    pub(crate) async fn fill(&self, ix: usize, offset: u64, buffer: &Uint8Array) -> Result<()> {
        let got = match self {
            Self::Local(blob) => read_blob(blob, offset, buffer).await?,
            Self::Web(file) => file.read(offset, buffer).await?,
            Self::Shards(shards) => return shards.read(ix, offset, buffer).await,
        };
        if got == buffer.length() {
            return Ok(());
        }
        let end = offset.saturating_add(got.into());
        let expected = offset.saturating_add(buffer.length().into());
        Err(Error::bad_model_file(format!(
            "the file ends at byte {end}; expected at least {expected}, it is cut short"
        )))
    }

    /// Whether the server has another file than the one that is in the cache.
    pub(crate) fn is_outdated(&self) -> bool {
        match self {
            Self::Local(_) => false,
            Self::Web(file) => file.remote.outdated.get(),
            Self::Shards(shards) => shards.remote.outdated.get() || shards.outdated.get(),
        }
    }
}

/// Reads from `offset` into all of `buffer`, or up to the end of the blob; returns how many bytes.
pub(crate) async fn read_blob(blob: &Blob, offset: u64, buffer: &Uint8Array) -> Result<u32> {
    let failed = |thrown| {
        let error = from_js(&thrown, "reading the local file");
        match error.code() {
            // A file that was moved or changed since the user chose it.
            ErrorCode::Internal => Error::invalid_request(
                "source",
                format!("{}; choose the file again", error.message()),
            ),
            _ => error,
        }
    };
    let end = number(offset) + f64::from(buffer.length());
    let slice = blob
        .slice_with_f64_and_f64(number(offset), end)
        .map_err(failed)?;
    let bytes = Uint8Array::new(&JsFuture::from(slice.array_buffer()).await.map_err(failed)?);
    buffer.subarray(0, bytes.length()).set(&bytes, 0);
    Ok(bytes.length())
}

/// How a server gives a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing was asked for yet.
    Unknown,
    /// In ranges, any number at once.
    Ranges,
    /// Only whole: one answer is read from front to end.
    Stream,
}

/// A file on a server.
pub(crate) struct WebFile<'a> {
    pub(crate) remote: Remote<'a>,
    mode: Cell<Mode>,
    /// The one answer that is read from front to end, and how far it is.
    stream: Turn<Option<(Body, u64)>>,
    /// Where those begin who wait for the stream: the first one is next.
    waiting: RefCell<BTreeSet<u64>>,
    /// The file's first bytes, kept so that what came along with the header is not asked for again.
    head: RefCell<Uint8Array>,
}

impl<'a> WebFile<'a> {
    pub(crate) fn new(remote: Remote<'a>) -> Self {
        Self {
            remote,
            mode: Cell::new(Mode::Unknown),
            stream: Turn::new(None),
            waiting: RefCell::new(BTreeSet::new()),
            head: RefCell::new(Uint8Array::new_with_length(0)),
        }
    }

    /// The file's first bytes: as many as asked for, or all there are.
    pub(crate) async fn head(&self, bytes: u32) -> Result<Uint8Array> {
        let old = self.head.borrow().clone();
        if old.length() < bytes {
            let grown = Uint8Array::new_with_length(bytes);
            grown.set(&old, 0);
            let rest = grown.subarray(old.length(), bytes);
            let got = self.read(old.length().into(), &rest).await?;
            *self.head.borrow_mut() = grown.subarray(0, old.length().saturating_add(got));
        }
        Ok(self.head.borrow().clone())
    }

    /// Reads from `start` into all of `buffer`, or up to the file's end; returns how many bytes.
    pub(crate) async fn read(&self, start: u64, buffer: &Uint8Array) -> Result<u32> {
        let known = self.copy_head(start, buffer);
        if known == buffer.length() {
            return Ok(known);
        }
        let start = start.saturating_add(known.into());
        let buffer = buffer.subarray(known, buffer.length());
        if self.mode.get() == Mode::Unknown {
            // The first one finds out; the others wait for it.
            let mut stream = self.stream.take().await;
            if self.mode.get() == Mode::Unknown {
                match self.remote.read_range(start, &buffer).await? {
                    Got::Bytes(got) => {
                        self.mode.set(Mode::Ranges);
                        return Ok(known.saturating_add(got));
                    }
                    Got::Whole(body) => {
                        self.mode.set(Mode::Stream);
                        *stream = Some((body, 0));
                    }
                }
            }
        }
        let got = match self.mode.get() {
            Mode::Stream => self.read_stream(start, &buffer).await?,
            Mode::Unknown | Mode::Ranges => match self.remote.read_range(start, &buffer).await? {
                Got::Bytes(got) => got,
                Got::Whole(_) => {
                    let url = self.remote.url.as_str();
                    let message = format!(
                        "GET {url}: the server answered 200: it gave ranges and no longer does"
                    );
                    return Err(Error::new(ErrorCode::Network, message)
                        .detail("url", url)
                        .detail("status", 200));
                }
            },
        };
        Ok(known.saturating_add(got))
    }

    /// Copies what the head holds of `buffer`'s front.
    fn copy_head(&self, start: u64, buffer: &Uint8Array) -> u32 {
        let head = self.head.borrow();
        let Some(start) = u32::try_from(start)
            .ok()
            .filter(|start| *start < head.length())
        else {
            return 0;
        };
        let part = head.subarray(
            start,
            start.saturating_add(buffer.length()).min(head.length()),
        );
        buffer.set(&part, 0);
        part.length()
    }

    async fn read_stream(&self, start: u64, buffer: &Uint8Array) -> Result<u32> {
        self.waiting.borrow_mut().insert(start);
        let mut stream = self
            .stream
            .take_if(|| self.waiting.borrow().first() == Some(&start))
            .await;
        self.waiting.borrow_mut().remove(&start);
        let progress = self.remote.context.progress;
        let mut tries = Tries::default();
        loop {
            let mut done = 0;
            let result = self.advance(&mut stream, start, buffer, &mut done).await;
            match result {
                Ok(()) => return Ok(done),
                Err(fault) => {
                    *stream = None;
                    progress.lost(done.into());
                    tries.after(fault, 0, self.remote.context.abort).await?;
                }
            }
        }
    }

    /// Goes to `start` in the stream and fills `buffer`, or what of it there is.
    async fn advance(
        &self,
        stream: &mut Option<(Body, u64)>,
        start: u64,
        buffer: &Uint8Array,
        done: &mut u32,
    ) -> Result<(), Fault> {
        if stream
            .as_ref()
            .is_none_or(|(_, position)| *position > start)
        {
            *stream = None;
            match self.remote.open(None, RequestCache::NoStore).await? {
                (Answer::Whole { .. }, body) => *stream = Some((body, 0)),
                (Answer::Range { .. }, _) => {
                    return Err(Error::internal("a range that nobody asked for").into());
                }
            }
        }
        let Some((body, position)) = stream else {
            return Err(Error::internal("a stream that was just opened is gone").into());
        };
        let gone = body.skip(start.saturating_sub(*position)).await?;
        self.remote.context.progress.lost(gone);
        *position = position.saturating_add(gone);
        if *position < start {
            // The file's end; the caller sees that nothing was read.
            return Ok(());
        }
        body.fill(buffer, done, buffer.length()).await?;
        *position = position.saturating_add((*done).into());
        Ok(())
    }
}

/// A manifest and its shards on a server.
pub(crate) struct Shards<'a> {
    pub(crate) remote: Remote<'a>,
    /// Read when the first shard is wanted.
    manifest: Turn<Option<Rc<Manifest>>>,
    /// What the cache holds shards of: the checksum in a validator.
    cached: Option<String>,
    outdated: Cell<bool>,
    /// The header's shard, verified; read once, and wanted again as the first chunk.
    header: RefCell<Option<Uint8Array>>,
}

impl<'a> Shards<'a> {
    /// Shards of a manifest that was read.
    pub(crate) fn new(remote: Remote<'a>, manifest: Manifest) -> Self {
        Self {
            remote,
            manifest: Turn::new(Some(Rc::new(manifest))),
            cached: None,
            outdated: Cell::new(false),
            header: RefCell::new(None),
        }
    }

    /// Shards of which the cache holds some: the manifest is read only if one is missing.
    pub(crate) fn cached(context: Context<'a>, url: &str, validator: Option<String>) -> Self {
        let remote = Remote::new(context, url);
        Self {
            remote,
            manifest: Turn::new(None),
            cached: validator,
            outdated: Cell::new(false),
            header: RefCell::new(None),
        }
    }

    /// The validator of what a manifest describes: the file's checksum.
    pub(crate) fn validator(manifest: &Manifest) -> String {
        format!("sha256 {}", manifest.sha256)
    }

    /// Keeps the header's shard for when it is wanted as a chunk.
    pub(crate) fn keep_header(&self, bytes: Uint8Array) {
        *self.header.borrow_mut() = Some(bytes);
    }

    /// Reads shard `ix`, the header's being the first, and verifies it.
    pub(crate) async fn read(&self, ix: usize, offset: u64, buffer: &Uint8Array) -> Result<()> {
        let manifest = self.manifest().await?;
        let part = manifest.parts().nth(ix);
        let Some(part) = part.filter(|part| part.offset == offset && part.bytes == buffer.length())
        else {
            return Err(Error::internal(format!("no shard {ix} at byte {offset}")));
        };
        if let Some(header) = self.header.borrow_mut().take_if(|_| ix == 0) {
            buffer.set(&header, 0);
            return Ok(());
        }
        let url = resolve(&self.remote.url, &part.url);
        let context = self.remote.context;
        let mut got = String::new();
        // Named by content, a shard may come from the browser's cache; a second attempt passes that by.
        for cache in [RequestCache::Default, RequestCache::Reload] {
            let remote = Remote::new(context, &url);
            if remote.read_whole(buffer, cache).await? {
                let sum = sha256(buffer).await?;
                if sum == part.sha256 {
                    return Ok(());
                }
                got = sum.to_string();
            } else {
                got = "another size".to_owned();
            }
            context.progress.lost(part.bytes.into());
        }
        Err(Error::new(
            ErrorCode::Integrity,
            format!(
                "shard {url}: its {} bytes should have the SHA-256 {}; got {got}",
                part.bytes, part.sha256
            ),
        )
        .detail("url", url)
        .detail("expected", part.sha256.to_string())
        .detail("got", got))
    }

    async fn manifest(&self) -> Result<Rc<Manifest>> {
        let mut slot = self.manifest.take().await;
        if let Some(manifest) = &*slot {
            return Ok(manifest.clone());
        }
        let file = WebFile::new(Remote::new(self.remote.context, &self.remote.url));
        let manifest = read_manifest(&file).await?;
        if self.cached.is_some() && self.cached != Some(Self::validator(&manifest)) {
            self.outdated.set(true);
            return Err(Error::new(
                ErrorCode::Network,
                format!(
                    "{}: the manifest was changed on the server",
                    self.remote.url
                ),
            ));
        }
        Ok(slot.insert(Rc::new(manifest)).clone())
    }
}

/// The whole of a small file, as a manifest.
pub(crate) async fn read_manifest(file: &WebFile<'_>) -> Result<Manifest> {
    const LIMIT: u32 = 16 << 20;
    let mut wanted = 64 << 10;
    loop {
        let head = file.head(wanted).await?;
        if head.length() < wanted || wanted > LIMIT {
            let manifest = Manifest::parse(&head.to_vec());
            return manifest.map_err(|error| error.context(file.remote.url.clone()));
        }
        wanted = wanted.saturating_mul(4);
    }
}
