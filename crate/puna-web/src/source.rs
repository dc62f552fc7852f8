//! Where a model's bytes come from: local files, files on a server, or shards on one.

use js_sys::Uint8Array;
use puna_core::weights::plan::Chunk;
use puna_core::{Error, Result};

use crate::local_file::LocalFile;
use crate::parts::Parts;
use crate::shards::Shards;
use crate::web_file::WebFile;

/// One of the three.
pub(crate) enum Source<'a> {
    Local(Parts<LocalFile>),
    Web(Parts<WebFile<'a>>),
    Shards(Shards<'a>),
}

impl Source<'_> {
    /// Fills `buffer` with the bytes of chunk `ix`, which begins at `offset`.
    pub(crate) async fn fill(&self, ix: usize, offset: u64, buffer: &Uint8Array) -> Result<()> {
        let got = match self {
            Self::Local(files) => files.read(offset, buffer).await?,
            Self::Web(files) => files.read(offset, buffer).await?,
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

    /// How many bytes of chunk `ix`, which nobody needs from here any more, have come from the network and are counted.
    pub(crate) fn counted(&self, ix: usize, chunk: &Chunk) -> u64 {
        match self {
            Self::Web(files) => files.in_head(chunk.offset, chunk.bytes),
            Self::Shards(shards) if shards.let_go(ix) => chunk.bytes.into(),
            Self::Local(_) | Self::Shards(_) => 0,
        }
    }

    /// Whether the server has another file than the one that is in the cache.
    pub(crate) fn is_outdated(&self) -> bool {
        match self {
            Self::Local(_) => false,
            Self::Web(files) => files.is_outdated(),
            Self::Shards(shards) => shards.is_outdated(),
        }
    }
}
