//! Files that a user has chosen.

use js_sys::Uint8Array;
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use crate::buffer::{allocate, from_allocation};
use crate::js_error::text;
use crate::pieces::Pieces;
use crate::progress::number;
use crate::ranged::Ranged;

/// A file, or what else holds bytes.
pub(crate) struct LocalFile {
    blob: Blob,
    /// What it is called; empty if it is not called anything.
    pub(crate) name: String,
}

impl LocalFile {
    pub(crate) fn new(blob: Blob) -> Self {
        let name = text(&blob, "name").unwrap_or_default();
        Self { blob, name }
    }

    /// Bytes.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a blob's size is a whole number below 2^53"
    )]
    pub(crate) fn size(&self) -> u64 {
        self.blob.size() as u64
    }
}

impl Ranged for LocalFile {
    async fn head(&self, bytes: u32) -> Result<Uint8Array> {
        let own = u32::try_from(self.size()).map_or(bytes, |size| size.min(bytes));
        let buffer = allocate(own)?;
        self.read(0, &buffer).await?;
        Ok(buffer)
    }

    async fn read(&self, start: u64, buffer: &Uint8Array) -> Result<u32> {
        read_blob(&self.blob, start, buffer).await
    }

    fn total(&self) -> Option<u64> {
        Some(self.size())
    }

    fn label(&self) -> &str {
        &self.name
    }
}

/// Reads from `start` into all of `buffer`, or up to the end of the blob; returns how many bytes.
pub(crate) async fn read_blob(blob: &Blob, start: u64, buffer: &Uint8Array) -> Result<u32> {
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
    let end = number(start) + f64::from(buffer.length());
    let slice = blob
        .slice_with_f64_and_f64(number(start), end)
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
