//! From an address to a header and a plan: what a model is, before any of its weights come.

use puna_core::checkpoint::address;
use puna_core::weights::header::{Header, MAX_HEADER_BYTES, Parsed};
use puna_core::weights::manifest::Manifest;
use puna_core::weights::plan::{CHUNK_BYTES, Plan};
use puna_core::weights::split::{join, later_files, places};
use puna_core::{Error, ErrorCode, Result};

use crate::buffer::allocate;
use crate::cache_index::{Index, PartFile};
use crate::checkpoint;
use crate::digest::{self, sha256};
use crate::fetch::{Context, Remote};
use crate::parts::Parts;
use crate::patience::first;
use crate::ranged::Ranged;
use crate::shards::{Shards, read_manifest};
use crate::source::Source;
use crate::store::Entry;
use crate::timer::Timer;
use crate::web_file::WebFile;

/// The first request; most of a small model's header, and enough to tell what it is.
pub(crate) const FIRST_BYTES: u32 = 256 << 10;
/// Who does not answer in that time is not waited for, when all that is needed is in the cache.
const NEWS_MS: u32 = 5_000;
/// Each request for more of the header asks for so many times as much.
pub(crate) const GROWTH: u32 = 4;

/// A model whose header is known.
pub(crate) struct Opened<'a> {
    pub(crate) source: Source<'a>,
    pub(crate) header: Header,
    pub(crate) plan: Plan,
    /// The name in the manifest; none without one.
    pub(crate) name: Option<String>,
}

/// Opens a model whose header is in the cache. `None` if it isn't, or not as it should be.
pub(crate) async fn open_cached<'a>(
    context: Context<'a>,
    url: &str,
    entry: &Entry,
    revalidate: bool,
) -> Result<Option<Opened<'a>>> {
    let Some(index) = entry.index() else {
        return Ok(None);
    };
    let Some((header, plan)) = cached_header(&index, entry).await else {
        return Ok(None);
    };
    let source = if index.sharded {
        let shards = Shards::cached(context, url, index.validator.clone());
        if revalidate && first(shards.is_changed(), Timer::new(NEWS_MS)).await == Some(true) {
            return Ok(None);
        }
        context.abort.check()?;
        Source::Shards(shards)
    } else {
        let Ok(files) = Parts::cached(context, &index, &header) else {
            return Ok(None);
        };
        if revalidate && first(files.is_changed(), Timer::new(NEWS_MS)).await == Some(true) {
            return Ok(None);
        }
        context.abort.check()?;
        Source::Web(files)
    };
    Ok(Some(Opened {
        source,
        header,
        plan,
        name: index.name,
    }))
}

async fn cached_header(index: &Index, entry: &Entry) -> Option<(Header, Plan)> {
    let (cuts, files) = (index.cuts(), index.files());
    let (starts, _) = places(files.iter().map(|file| file.bytes))?;
    let files = files.iter().zip(starts);
    let header = if index.parts.iter().any(|part| part.name.is_some()) {
        checkpoint::cached_header(index, entry, files).await?
    } else {
        let mut headers = Vec::new();
        for (file, start) in files {
            let header = cached_part(index, entry, start, Header::from_gguf).await?;
            headers.push((header, file.bytes));
        }
        join(headers).ok()?.0
    };
    let plan = Plan::from_cuts(&header, index.file_bytes, cuts).ok()?;
    Some((header, plan))
}

/// What of the file that begins at `start` is enough for `parse`.
pub(crate) async fn cached_part<T>(
    index: &Index,
    entry: &Entry,
    start: u64,
    parse: impl Fn(&[u8]) -> Result<Parsed<T>>,
) -> Option<T> {
    let mut prefix = Vec::new();
    for (ix, (offset, bytes)) in index.cuts().into_iter().enumerate() {
        if offset < start {
            continue;
        }
        let buffer = allocate(bytes).ok()?;
        let expected = index.stored(ix)?;
        if offset.saturating_sub(start) > MAX_HEADER_BYTES
            || !entry.read(offset, &buffer).await
            || sha256(&buffer).await.ok()? != expected
        {
            return None;
        }
        prefix.extend_from_slice(&buffer.to_vec());
        if let Parsed::Done(done) = parse(&prefix).ok()? {
            return Some(done);
        }
    }
    None
}

/// Opens a model by asking the server, and prepares the cache's index for it.
pub(crate) async fn open_network<'a>(
    context: Context<'a>,
    url: &str,
    entry: Option<&Entry>,
) -> Result<Opened<'a>> {
    let (opened, known) = match address::folder(url) {
        Some(folder) => open_checkpoint(context, &folder).await?,
        None => open_one(context, url).await?,
    };
    if let Some(entry) = entry {
        let Known {
            sharded,
            validator,
            parts,
        } = known;
        let mut index = Index::new(url, sharded, validator, opened.name.clone(), &opened.plan);
        index.parts = parts;
        if entry.index().is_none_or(|old| !old.same_file(&index)) {
            entry.replace(index);
        }
    }
    Ok(opened)
}

/// What the cache's index keeps of where a model comes from.
#[derive(Default)]
struct Known {
    sharded: bool,
    validator: Option<String>,
    /// The files, if there are several.
    parts: Vec<PartFile>,
}

/// Opens the checkpoint in a folder.
async fn open_checkpoint<'a>(context: Context<'a>, folder: &str) -> Result<(Opened<'a>, Known)> {
    let mut file = |name: &str| {
        let remote = Remote::new(context, &format!("{folder}{name}"));
        Some(WebFile::new(remote))
    };
    let opened = checkpoint::open(context, &mut file).await;
    let (header, plan, found) = opened.map_err(|error| of_file(error, folder))?;
    let (mut files, mut parts) = (Vec::new(), Vec::new());
    for checkpoint::Found { name, file, bytes } in found {
        parts.push(PartFile {
            name: Some(name),
            bytes,
            validator: file.remote.validator.borrow().clone(),
        });
        files.push(file);
    }
    let opened = Opened {
        source: Source::Web(Parts::new(&header.starts, files)),
        header,
        plan,
        name: None,
    };
    let known = Known {
        parts,
        ..Known::default()
    };
    Ok((opened, known))
}

/// Opens the model that is named by the address of a file.
async fn open_one<'a>(context: Context<'a>, url: &str) -> Result<(Opened<'a>, Known)> {
    let file = WebFile::new(Remote::new(context, url));
    let first = file.head(FIRST_BYTES).await?.subarray(0, 64);
    if Manifest::is_likely(&first.to_vec()) {
        let manifest = read_manifest(&file).await?;
        let known = Known {
            sharded: true,
            validator: Some(Shards::validator(&manifest)),
            parts: Vec::new(),
        };
        return Ok((open_shards(file.remote, manifest).await?, known));
    }
    let validator = file.remote.validator.borrow().clone();
    let (opened, parts) = open_files(file).await?;
    let known = Known {
        sharded: false,
        validator,
        parts,
    };
    Ok((opened, known))
}

/// Opens the model whose file, or whose first file, that is. What is known of the files, if there are several.
async fn open_files(first: WebFile<'_>) -> Result<(Opened<'_>, Vec<PartFile>)> {
    let (context, url) = (first.remote.context, first.remote.url.clone());
    let found = open_file(&first).await?;
    let of_model = |error: Error| error.context(url.as_str());
    let later = later_files(&found.0, &url).map_err(of_model)?;
    let (mut files, mut headers) = (vec![first], vec![found]);
    for url in later {
        let file = WebFile::new(Remote::new(context, &url));
        headers.push(open_file(&file).await?);
        files.push(file);
    }
    let part = |(file, (_, bytes)): (&WebFile<'_>, &(Header, u64))| PartFile {
        name: None,
        bytes: *bytes,
        validator: file.remote.validator.borrow().clone(),
    };
    let parts = match files.len() {
        1 => Vec::new(),
        _ => files.iter().zip(&headers).map(part).collect(),
    };
    let (header, file_bytes) = join(headers).map_err(of_model)?;
    let plan = Plan::new(&header, file_bytes, CHUNK_BYTES).map_err(of_model)?;
    let opened = Opened {
        source: Source::Web(Parts::new(&header.starts, files)),
        header,
        plan,
        name: None,
    };
    Ok((opened, parts))
}

/// A file's header, and its size.
async fn open_file(file: &WebFile<'_>) -> Result<(Header, u64)> {
    let header = read_header(file)
        .await
        .map_err(|error| of_file(error, &file.remote.url))?;
    // Unknown if the server compresses or hides its headers; then the last tensor ends the file.
    let total = file.remote.total.get();
    let file_bytes = total.unwrap_or_else(|| end_of_data(&header));
    Ok((header, file_bytes))
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
    let name = manifest.name.clone();
    let shards = Shards::new(remote, manifest);
    let front = allocate(header_bytes)?;
    shards.read(0, 0, &front).await?;
    let header = match Header::from_gguf(&front.to_vec()) {
        Ok(Parsed::Done(header)) => header,
        Ok(Parsed::NeedMore { at_least }) => {
            let message = format!(
                "the header's shard has {header_bytes} bytes; the header has at least {at_least}"
            );
            return Err(Error::bad_model_file(message).context(url));
        }
        Err(error) => return Err(error.context(url)),
    };
    let plan = Plan::from_cuts(&header, file_bytes, cuts).map_err(|error| error.context(url))?;
    shards.keep_header(front);
    Ok(Opened {
        source: Source::Shards(shards),
        header,
        plan,
        name: Some(name),
    })
}

/// Reads as much of a file's front as a GGUF's header takes.
pub(crate) async fn read_header(file: &impl Ranged) -> Result<Header> {
    read_front(file, GROWTH, Header::from_gguf).await
}

/// Reads as much of a file's front as `parse` takes: each time so many times as much, half as much again where little is to
/// come along, or what it says it needs.
pub(crate) async fn read_front<T>(
    file: &impl Ranged,
    growth: u32,
    parse: impl Fn(&[u8]) -> Result<Parsed<T>>,
) -> Result<T> {
    let mut wanted = FIRST_BYTES;
    loop {
        let head = file.head(wanted).await?;
        // Into wasm's memory, and out again before the weights come.
        match parse(&head.to_vec())? {
            Parsed::Done(header) => return Ok(header),
            Parsed::NeedMore { at_least } if head.length() < wanted => {
                return Err(Error::bad_model_file(format!(
                    "the file ends at byte {}, inside its header, which has at least {at_least} bytes; it is cut short",
                    head.length()
                )));
            }
            Parsed::NeedMore { at_least } => {
                let limit = u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX);
                let at_least = u32::try_from(at_least).unwrap_or(limit);
                let more = match growth {
                    // What it says it needs is all of it.
                    1 => wanted,
                    _ if file.is_thrifty() => wanted.saturating_add(wanted / 2),
                    _ => wanted.saturating_mul(growth),
                };
                wanted = more.min(limit).max(at_least);
            }
        }
    }
}

/// An error about the file's content gets the address; one of the network has it.
pub(crate) fn of_file(error: Error, url: &str) -> Error {
    match error.code() {
        ErrorCode::BadModelFile | ErrorCode::UnsupportedModel => error.context(url),
        _ => error,
    }
}

fn end_of_data(header: &Header) -> u64 {
    let ends = header
        .tensors
        .iter()
        .map(|tensor| tensor.offset.saturating_add(tensor.bytes));
    ends.max().unwrap_or(header.data_offset)
}
