//! Opens a checkpoint as Hugging Face's repositories hold it: all files beside the weights, and the headers of those.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;

use puna_core::checkpoint::{COMPANIONS, Companions, Shard, header, is_required};
use puna_core::weights::header::{Header, MAX_HEADER_BYTES};
use puna_core::weights::plan::{CHUNK_BYTES, Plan};
use puna_core::weights::safetensors::{Parsed, Safetensors, parse};
use puna_core::{Error, ErrorCode, Result};

use crate::cache_index::{Index, PartFile};
use crate::fetch::{Context, Remote};
use crate::lanes::all;
use crate::open::{FIRST_BYTES, GROWTH, Opened, cached_part, of_file};
use crate::parts::Parts;
use crate::source::Source;
use crate::store::Entry;
use crate::web_file::WebFile;

/// What servers answer about a file that is not there; stores of objects say the first.
const ABSENT: [u16; 3] = [403, 404, 410];

/// A file, and what was read of it.
struct Fetched<'a, T> {
    name: String,
    file: WebFile<'a>,
    /// Empty until it was read, and for good if it is not there.
    content: RefCell<Option<T>>,
}

impl<'a, T> Fetched<'a, T> {
    fn new(context: Context<'a>, folder: &str, name: &str) -> Self {
        Self {
            name: name.to_owned(),
            file: WebFile::new(Remote::new(context, &format!("{folder}{name}"))),
            content: RefCell::new(None),
        }
    }
}

/// Reads all of them at once.
async fn read_all<'a, T>(
    context: Context<'_>,
    files: &[Fetched<'a, T>],
    read: impl AsyncFn(&Fetched<'a, T>) -> Result<Option<T>>,
) -> Result<()> {
    let read = &read;
    let lanes = files.iter().map(|fetched| {
        let lane = async move {
            *fetched.content.borrow_mut() = read(fetched).await?;
            Ok(())
        };
        Box::pin(lane) as Pin<Box<dyn Future<Output = _>>>
    });
    all(lanes.collect(), || context.abort.cancel()).await
}

/// Opens the checkpoint in a folder; and what is known of its files.
pub(crate) async fn open<'a>(
    context: Context<'a>,
    folder: &str,
) -> Result<(Opened<'a>, Vec<PartFile>)> {
    let named = |error: Error| of_file(error, folder);
    let beside = COMPANIONS.map(|name| Fetched::new(context, folder, name));
    read_all(context, &beside, async |it| {
        whole(&it.file, is_required(&it.name)).await
    })
    .await?;
    let mut companions = Companions::default();
    let (mut files, mut parts) = (Vec::new(), Vec::new());
    let mut take = |name: String, file: WebFile<'a>, bytes: u64| {
        parts.push(PartFile {
            name: Some(name),
            bytes,
            validator: file.remote.validator.borrow().clone(),
        });
        files.push(file);
    };
    for fetched in beside {
        if let Some(bytes) = fetched.content.into_inner() {
            let length = bytes.len() as u64;
            companions.push(&fetched.name, bytes).map_err(named)?;
            take(fetched.name, fetched.file, length);
        }
    }
    let names = companions.shards().map_err(named)?;
    let weights = names.iter().map(|name| Fetched::new(context, folder, name));
    let weights: Vec<_> = weights.collect();
    read_all(context, &weights, async |it| {
        table(&it.file).await.map(Some)
    })
    .await?;
    let mut shards = Vec::new();
    for fetched in weights {
        let header = fetched.content.into_inner();
        let header = header.ok_or_else(|| Error::internal("a table that nobody read"))?;
        // Unknown if the server compresses or hides its headers; then the last tensor ends the file.
        let last = header.tensors.last();
        let end = last.map_or(header.data_offset, |it| it.offset.saturating_add(it.bytes));
        let bytes = fetched.file.remote.total.get().unwrap_or(end);
        shards.push(Shard { header, bytes });
        take(fetched.name, fetched.file, bytes);
    }
    let (header, file_bytes) = header(companions, shards).map_err(named)?;
    let plan = Plan::new(&header, file_bytes, CHUNK_BYTES).map_err(named)?;
    let opened = Opened {
        source: Source::Web(Parts::new(&header.starts, files)),
        header,
        plan,
        name: None,
    };
    Ok((opened, parts))
}

/// All of a file; `None` if it is not there and need not be.
async fn whole(file: &WebFile<'_>, required: bool) -> Result<Option<Vec<u8>>> {
    let limit = u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX);
    let mut wanted = FIRST_BYTES;
    let bytes = loop {
        let head = match file.head(wanted).await {
            Err(error) if !required && is_absent(&error) => return Ok(None),
            head => head?,
        };
        let total = file.remote.total.get();
        if head.length() < wanted || total == Some(head.length().into()) {
            break head.to_vec();
        }
        if wanted == limit {
            return Err(
                Error::bad_model_file(format!("the file has more than {limit} bytes"))
                    .context(file.remote.url.as_str()),
            );
        }
        let total = total.and_then(|total| u32::try_from(total).ok());
        let more = wanted.saturating_mul(GROWTH);
        wanted = total.unwrap_or(more).clamp(wanted.saturating_add(1), limit);
    };
    // Servers of pages answer with a page what they do not have.
    let front = bytes.trim_ascii_start();
    let is_page = [&b"<!doctype html"[..], b"<html"].iter().any(|page| {
        let front = front.get(..page.len());
        front.is_some_and(|front| front.eq_ignore_ascii_case(page))
    });
    match (is_page, required) {
        (true, false) => Ok(None),
        (true, true) => {
            let message = "the server answers with a web page, not with the file";
            Err(Error::bad_model_file(message).context(file.remote.url.as_str()))
        }
        _ => Ok(Some(bytes)),
    }
}

fn is_absent(error: &Error) -> bool {
    let status = error.details().get("status");
    error.code() == ErrorCode::Network
        && status.is_some_and(|status| ABSENT.iter().any(|absent| *status == *absent))
}

/// The header of a file of weights.
async fn table(file: &WebFile<'_>) -> Result<Safetensors> {
    let mut wanted = FIRST_BYTES;
    loop {
        let head = file.head(wanted).await?;
        let parsed = parse(&head.to_vec()).map_err(|error| of_file(error, &file.remote.url))?;
        match parsed {
            Parsed::Done(table) => return Ok(table),
            Parsed::NeedMore { at_least } => {
                if head.length() < wanted {
                    return Err(Error::bad_model_file(format!(
                        "the file ends at byte {}, inside its header of {at_least} bytes; it is cut short",
                        head.length()
                    ))
                    .context(file.remote.url.as_str()));
                }
                wanted = u32::try_from(at_least).unwrap_or(u32::MAX);
            }
        }
    }
}

/// The header of a checkpoint whose files are in the cache, given each one's start.
pub(crate) async fn cached_header<'i>(
    index: &Index,
    entry: &Entry,
    files: impl Iterator<Item = (&'i PartFile, u64)>,
) -> Option<Header> {
    let mut companions = Companions::default();
    let mut shards = Vec::new();
    for (file, start) in files {
        let name = file.name.as_deref()?;
        if COMPANIONS.contains(&name) {
            let length = usize::try_from(file.bytes).ok()?;
            let all = |prefix: &[u8]| Some(prefix.get(..length).map(<[u8]>::to_vec));
            let bytes = cached_part(index, entry, start, all).await?;
            companions.push(name, bytes).ok()?;
        } else {
            let table = |prefix: &[u8]| match parse(prefix).ok()? {
                Parsed::Done(table) => Some(Some(table)),
                Parsed::NeedMore { .. } => Some(None),
            };
            shards.push(Shard {
                header: cached_part(index, entry, start, table).await?,
                bytes: file.bytes,
            });
        }
    }
    Some(header(companions, shards).ok()?.0)
}
