//! Where a model's bytes come from: a local file, files on a server, or shards on one.

use js_sys::Uint8Array;
use puna_core::weights::plan::Chunk;
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use crate::buffer::from_allocation;
use crate::parts::Parts;
use crate::pieces::Pieces;
use crate::progress::number;
use crate::shards::Shards;

/// One of the three.
pub(crate) enum Source<'a> {
    Local(Blob),
    Web(Parts<'a>),
    Shards(Shards<'a>),
}

impl Source<'_> {
    /// Fills `buffer` with the bytes of chunk `ix`, which begins at `offset`.
    pub(crate) async fn fill(&self, ix: usize, offset: u64, buffer: &Uint8Array) -> Result<()> {
        let got = match self {
            Self::Local(blob) => read_blob(blob, offset, buffer).await?,
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

/// Reads from `offset` into all of `buffer`, or up to the end of the blob; returns how many bytes.
pub(crate) async fn read_blob(blob: &Blob, offset: u64, buffer: &Uint8Array) -> Result<u32> {
    let failed = |thrown: JsValue| {
        let error = from_allocation(&thrown, buffer.length().into(), "reading the local file");
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
    let mut pieces = Pieces::new(&slice.stream())?;
    let mut at = 0_u32;
    loop {
        let result = JsFuture::from(pieces.read()).await.map_err(failed)?;
        let Some(piece) = pieces.take(&result)? else {
            return Ok(at);
        };
        let end = at.saturating_add(piece.length());
        if end > buffer.length() {
            return Err(Error::internal(
                "a file gave more bytes than it was asked for",
            ));
        }
        buffer.set(&piece, at);
        at = end;
    }
}
