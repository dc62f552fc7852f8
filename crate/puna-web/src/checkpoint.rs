//! Opens a checkpoint as Hugging Face's repositories hold it: all files beside the weights, and the headers of those.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;

use puna_core::checkpoint::{COMPANIONS, Companions, Shard, companions, header, is_required};
use puna_core::weights::header::{Header, MAX_HEADER_BYTES, Parsed};
use puna_core::weights::plan::{CHUNK_BYTES, Plan};
use puna_core::weights::safetensors::{Safetensors, parse};
use puna_core::{Error, ErrorCode, Result};

use crate::cache_index::{Index, PartFile};
use crate::fetch::Context;
use crate::lanes::all;
use crate::open::{FIRST_BYTES, GROWTH, cached_part, of_file, read_front};
use crate::ranged::Ranged;
use crate::store::Entry;

/// What servers answer about a file that is not there; stores of objects say the first.
const ABSENT: [u16; 3] = [403, 404, 410];

/// A file of a checkpoint.
pub(crate) struct Found<F> {
    pub(crate) name: String,
    pub(crate) file: F,
    pub(crate) bytes: u64,
}

/// A file, and what was read of it.
struct Reading<F, T> {
    name: String,
    file: F,
    /// Empty until it was read, and for good if it is not there.
    content: RefCell<Option<T>>,
}

impl<F, T> Reading<F, T> {
    fn new(name: &str, file: F) -> Self {
        Self {
            name: name.to_owned(),
            file,
            content: RefCell::new(None),
        }
    }
}

/// Reads all of them at once.
async fn read_all<F, T>(
    context: Context<'_>,
    files: &[Reading<F, T>],
    read: impl AsyncFn(&Reading<F, T>) -> Result<Option<T>>,
) -> Result<()> {
    let read = &read;
    let lanes = files.iter().map(|reading| {
        let lane = async move {
            *reading.content.borrow_mut() = read(reading).await?;
            Ok(())
        };
        Box::pin(lane) as Pin<Box<dyn Future<Output = _>>>
    });
    all(lanes.collect(), || context.abort.cancel()).await
}

/// Opens the checkpoint whose files of each name `file` gives, where it can tell that there is none: the header, a plan, and
/// the files in their order.
pub(crate) async fn open<F: Ranged>(
    context: Context<'_>,
    file: &mut impl FnMut(&str) -> Option<F>,
) -> Result<(Header, Plan, Vec<Found<F>>)> {
    let beside = companions(context.of_adapter);
    let beside = beside.filter_map(|name| Some(Reading::new(name, file(name)?)));
    let beside: Vec<_> = beside.collect();
    read_all(context, &beside, async |it| {
        whole(&it.file, is_required(&it.name)).await
    })
    .await?;
    let mut companions = Companions::default();
    let mut files = Vec::new();
    for Reading {
        name,
        file,
        content,
    } in beside
    {
        if let Some(content) = content.into_inner() {
            let bytes = content.len() as u64;
            file.learn_size(bytes);
            companions.push(&name, content)?;
            files.push(Found { name, file, bytes });
        }
    }
    let mut weights = Vec::new();
    for name in companions.shards()? {
        let file = file(&name).ok_or_else(|| {
            Error::invalid_request(
                "source",
                format!("{name} is missing among the files; choose it too"),
            )
        })?;
        weights.push(Reading::new(&name, file));
    }
    read_all(context, &weights, async |it| {
        table(&it.file).await.map(Some)
    })
    .await?;
    let mut shards = Vec::new();
    for Reading {
        name,
        file,
        content,
    } in weights
    {
        let header = content.into_inner();
        let header = header.ok_or_else(|| Error::internal("a table that nobody read"))?;
        // Unknown if the server compresses or hides its headers; then the last tensor ends the file.
        let last = header.tensors.last();
        let end = last.map_or(header.data_offset, |it| it.offset.saturating_add(it.bytes));
        let bytes = file.total().unwrap_or(end);
        shards.push(Shard { header, bytes });
        files.push(Found { name, file, bytes });
    }
    let (header, file_bytes) = header(companions, shards)?;
    let plan = Plan::new(&header, file_bytes, CHUNK_BYTES)?;
    Ok((header, plan, files))
}

/// All of a file; `None` if it is not there and need not be.
async fn whole(file: &impl Ranged, required: bool) -> Result<Option<Vec<u8>>> {
    let limit = u32::try_from(MAX_HEADER_BYTES).unwrap_or(u32::MAX);
    let mut wanted = FIRST_BYTES;
    let bytes = loop {
        let head = match file.head(wanted).await {
            // An empty one is none, too.
            Err(error)
                if !required && (is_absent(&error) || error.code() == ErrorCode::BadModelFile) =>
            {
                return Ok(None);
            }
            head => head?,
        };
        let total = file.total();
        if head.length() < wanted || total == Some(head.length().into()) {
            break head.to_vec();
        }
        if wanted == limit {
            return Err(
                Error::bad_model_file(format!("the file has more than {limit} bytes"))
                    .context(file.label()),
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
            Err(Error::bad_model_file(message).context(file.label()))
        }
        _ => Ok(Some(bytes)),
    }
}

fn is_absent(error: &Error) -> bool {
    let status = error.details().get("status");
    error.code() == ErrorCode::Network
        && status.is_some_and(|status| ABSENT.iter().any(|absent| *status == *absent))
}

/// The header of a file of weights, whose length stands in front of it.
async fn table(file: &impl Ranged) -> Result<Safetensors> {
    let table = read_front(file, 1, parse).await;
    table.map_err(|error| of_file(error, file.label()))
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
            let all = |prefix: &[u8]| {
                Ok(match prefix.get(..length) {
                    Some(all) => Parsed::Done(all.to_vec()),
                    None => Parsed::NeedMore {
                        at_least: file.bytes,
                    },
                })
            };
            let bytes = cached_part(index, entry, start, all).await?;
            companions.push(name, bytes).ok()?;
        } else {
            shards.push(Shard {
                header: cached_part(index, entry, start, parse).await?,
                bytes: file.bytes,
            });
        }
    }
    Some(header(companions, shards).ok()?.0)
}
