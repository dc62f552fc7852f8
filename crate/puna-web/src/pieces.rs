//! A stream's bytes, piece by piece.

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use puna_core::{Error, Result};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{ReadableStream, ReadableStreamByobReader, ReadableStreamDefaultReader};

use crate::buffer::{allocate, release};
use crate::js_error::{from_js, get};

/// Bytes that are read at a time where the browser fills a buffer of ours.
const PIECE_BYTES: u32 = 256 << 10;

/// Reads into one buffer again and again where the browser can; else the browser makes a new one each time, and a
/// model's worth of them lies about until it collects its garbage.
pub(crate) enum Pieces {
    Own {
        reader: ReadableStreamByobReader,
        /// Given away while a read is pending; the browser gives the memory back with the bytes.
        buffer: ArrayBuffer,
    },
    Browsers(ReadableStreamDefaultReader),
}

impl Pieces {
    pub(crate) fn new(stream: &ReadableStream) -> Result<Self> {
        if let Ok(reader) = ReadableStreamByobReader::new(stream) {
            return Ok(Self::Own {
                reader,
                buffer: allocate(PIECE_BYTES)?.buffer(),
            });
        }
        let reader = ReadableStreamDefaultReader::new(stream)
            .map_err(|thrown| from_js(&thrown, "reading an answer"))?;
        Ok(Self::Browsers(reader))
    }

    /// The next of them, for [`Self::take`].
    pub(crate) fn read(&self) -> Promise {
        match self {
            Self::Own { reader, buffer } => {
                let view = Uint8Array::new(buffer);
                reader.read_with_array_buffer_view(&view)
            }
            Self::Browsers(reader) => reader.read(),
        }
    }

    /// The bytes in what [`Self::read`] resolved with; `None` at the end, and they may be empty before. The next read
    /// may overwrite them.
    pub(crate) fn take(&mut self, result: &JsValue) -> Result<Option<Uint8Array>> {
        if get(result, "done").is_truthy() {
            return Ok(None);
        }
        let piece = get(result, "value").dyn_into::<Uint8Array>();
        let piece =
            piece.map_err(|_| Error::internal("a stream gave something that is not bytes"))?;
        if let Self::Own { buffer, .. } = self {
            *buffer = piece.buffer();
        }
        Ok(Some(piece))
    }

    /// Ends the stream.
    pub(crate) fn cancel(&self) -> Promise {
        match self {
            Self::Own { reader, .. } => reader.cancel(),
            Self::Browsers(reader) => reader.cancel(),
        }
    }
}

impl Drop for Pieces {
    fn drop(&mut self) {
        if let Self::Own { buffer, .. } = self {
            release(buffer);
        }
    }
}
