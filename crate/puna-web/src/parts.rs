//! The files that a model is in, put end to end: mostly one, or the parts of a split model, or those of a checkpoint.

use js_sys::Uint8Array;
use puna_core::Result;
use puna_core::checkpoint::address;
use puna_core::weights::header::{Header, Origin};
use puna_core::weights::split::later_files;
use web_sys::RequestCache;

use crate::cache_index::Index;
use crate::fetch::{Context, Remote};
use crate::ranged::Ranged;
use crate::web_file::WebFile;

/// Bytes by which a file may be shorter than what is between its start and the next one's.
const MOST_PADDING: u32 = 3;

/// The files, each with its start.
pub(crate) struct Parts<F> {
    files: Vec<(u64, F)>,
}

impl<F: Ranged> Parts<F> {
    /// The files that begin at `starts`, in their order.
    pub(crate) fn new(starts: &[u64], files: Vec<F>) -> Self {
        Self {
            files: starts.iter().copied().zip(files).collect(),
        }
    }

    /// Reads from `offset` into all of `buffer`, or up to the end of the last file; returns how many bytes. What is read lies
    /// in one file.
    pub(crate) async fn read(&self, offset: u64, buffer: &Uint8Array) -> Result<u32> {
        let Some((start, file)) = self.at(offset) else {
            return Ok(0);
        };
        let at = offset.saturating_sub(*start);
        // What is behind a file's end nobody is asked for.
        let own = file.total().map(|total| total.saturating_sub(at));
        let own = own.and_then(|own| u32::try_from(own).ok());
        let own = own.map_or(buffer.length(), |own| own.min(buffer.length()));
        let got = file.read(at, &buffer.subarray(0, own)).await?;
        let missing = buffer.length().saturating_sub(got);
        let end = offset.saturating_add(buffer.length().into());
        if missing <= MOST_PADDING && self.files.iter().any(|(start, _)| *start == end) {
            buffer.fill(0, got, buffer.length());
            file.padded(missing);
            return Ok(buffer.length());
        }
        Ok(got)
    }

    fn at(&self, offset: u64) -> Option<&(u64, F)> {
        let mut files = self.files.iter().rev();
        files.find(|(start, _)| *start <= offset)
    }
}

impl<'a> Parts<WebFile<'a>> {
    /// Those of a model of which the cache has the header.
    pub(crate) fn cached(context: Context<'a>, index: &Index, header: &Header) -> Result<Self> {
        let later = later_files(header, &index.url)?;
        let urls = std::iter::once(index.url.clone()).chain(later);
        let folder = address::folder(&index.url).unwrap_or_default();
        let named = index.parts.iter().filter_map(|part| part.name.as_ref());
        let named = named.map(|name| format!("{folder}{name}"));
        let urls: Vec<_> = match header.origin {
            Origin::Gguf { .. } => urls.collect(),
            Origin::Checkpoint(_) => named.collect(),
        };
        let files = urls.iter().zip(index.files()).map(|(url, file)| {
            let remote = Remote::cached(context, url, file.validator, Some(file.bytes));
            WebFile::new(remote)
        });
        Ok(Self::new(&header.starts, files.collect()))
    }

    /// How many bytes of a range came along with the header of its file.
    pub(crate) fn in_head(&self, offset: u64, bytes: u32) -> u64 {
        let in_head =
            |(start, file): &(u64, WebFile<'_>)| file.in_head(offset.saturating_sub(*start), bytes);
        self.at(offset).map_or(0, in_head)
    }

    /// Whether the server has another file than one that is in the cache.
    pub(crate) fn is_outdated(&self) -> bool {
        let mut files = self.files.iter();
        files.any(|(_, file)| file.remote.outdated.get())
    }

    /// Asks the server whether it has. No answer, no news.
    pub(crate) async fn is_changed(&self) -> bool {
        for (_, file) in &self.files {
            let _ = file.remote.open(Some(&(0..1)), RequestCache::NoStore).await;
        }
        self.is_outdated()
    }
}
