//! The files on a server that a model is in, put end to end: mostly one, or the parts of a split model.

use js_sys::Uint8Array;
use puna_core::Result;
use puna_core::weights::header::Header;
use puna_core::weights::split::later_files;
use web_sys::RequestCache;

use crate::cache_index::Index;
use crate::fetch::{Context, Remote};
use crate::web_file::WebFile;

/// Bytes by which a file may be shorter than what is between its start and the next one's.
const MOST_PADDING: u32 = 3;

/// The files, each with its start.
pub(crate) struct Parts<'a> {
    files: Vec<(u64, WebFile<'a>)>,
}

impl<'a> Parts<'a> {
    /// The files that begin at `starts`, in their order.
    pub(crate) fn new(starts: &[u64], files: Vec<WebFile<'a>>) -> Self {
        Self {
            files: starts.iter().copied().zip(files).collect(),
        }
    }

    /// Those of a model of which the cache has the header.
    pub(crate) fn cached(context: Context<'a>, index: &Index, header: &Header) -> Result<Self> {
        let later = later_files(header, &index.url)?;
        let urls = std::iter::once(&index.url).chain(&later);
        let files = urls.zip(index.files()).map(|(url, file)| {
            let remote = Remote::cached(context, url, file.validator, Some(file.bytes));
            WebFile::new(remote)
        });
        Ok(Self::new(&header.starts, files.collect()))
    }

    /// Reads from `offset` into all of `buffer`, or up to the end of the last file; returns how many bytes. What is read lies
    /// in one file.
    pub(crate) async fn read(&self, offset: u64, buffer: &Uint8Array) -> Result<u32> {
        let Some((start, file)) = self.at(offset) else {
            return Ok(0);
        };
        let got = file.read(offset.saturating_sub(*start), buffer).await?;
        let missing = buffer.length().saturating_sub(got);
        let end = offset.saturating_add(buffer.length().into());
        if missing <= MOST_PADDING && self.files.iter().any(|(start, _)| *start == end) {
            buffer.fill(0, got, buffer.length());
            return Ok(buffer.length());
        }
        Ok(got)
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

    fn at(&self, offset: u64) -> Option<&(u64, WebFile<'a>)> {
        let mut files = self.files.iter().rev();
        files.find(|(start, _)| *start <= offset)
    }
}
