//! The bytes of an answer as they come, copied from JavaScript's buffers to JavaScript's buffers.

use js_sys::{ArrayBuffer, Promise, Uint8Array};
use puna_core::{Error, Result};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStream, ReadableStreamByobReader, ReadableStreamDefaultReader, Response};

use crate::abort::Abort;
use crate::buffer::allocate;
use crate::fetch::{Fault, Remote};
use crate::js_error::{from_js, get};
use crate::patience::in_time;
use crate::progress::Progress;

/// Bytes that are read at a time where the browser fills a buffer of ours.
const PIECE_BYTES: u32 = 256 << 10;

/// The bytes of an answer as they come. Dropping it ends the request.
pub(crate) struct Body {
    reader: Option<Reader>,
    /// What came and has not been asked for.
    rest: Option<Uint8Array>,
    url: String,
    /// Stops this request alone.
    request: Abort,
    progress: Progress,
}

impl Body {
    pub(crate) fn new(response: &Response, request: Abort, remote: &Remote<'_>) -> Result<Self> {
        let reader = response.body().map(|stream| Reader::new(&stream));
        let reader = reader.transpose()?;
        Ok(Self {
            reader,
            rest: None,
            url: remote.url.clone(),
            request,
            progress: remote.context.progress.clone(),
        })
    }

    /// Fills `buffer` from `*at` up to `goal`, or to the end of the body. `*at` is right after a failure, too.
    pub(crate) async fn fill(
        &mut self,
        buffer: &Uint8Array,
        at: &mut u32,
        goal: u32,
    ) -> Result<(), Fault> {
        while *at < goal {
            let Some(piece) = self.next().await? else {
                return Ok(());
            };
            let taken = piece.length().min(goal.saturating_sub(*at));
            buffer.set(&piece.subarray(0, taken), *at);
            *at = at.saturating_add(taken);
            self.progress.arrived(taken.into());
            self.keep(&piece, taken);
        }
        Ok(())
    }

    /// Lets so many bytes go by, or fewer at the end of the body; returns how many went. They don't count as progress.
    pub(crate) async fn skip(&mut self, bytes: u64) -> Result<u64, Fault> {
        let mut gone = 0_u64;
        while gone < bytes {
            let Some(piece) = self.next().await? else {
                break;
            };
            let taken = u32::try_from(bytes.saturating_sub(gone))
                .unwrap_or(u32::MAX)
                .min(piece.length());
            gone = gone.saturating_add(taken.into());
            self.keep(&piece, taken);
        }
        Ok(gone)
    }

    /// Whether there is a byte left. A body that fails at its end has none.
    pub(crate) async fn has_more(&mut self) -> bool {
        match self.next().await {
            Ok(Some(piece)) => {
                self.rest = Some(piece);
                true
            }
            _ => false,
        }
    }

    /// The next piece, never empty.
    async fn next(&mut self) -> Result<Option<Uint8Array>, Fault> {
        if let Some(rest) = self.rest.take() {
            return Ok(Some(rest));
        }
        let Some(reader) = &mut self.reader else {
            return Ok(None);
        };
        loop {
            let result = in_time(reader.read(), &self.request, &self.url).await?;
            if get(&result, "done").is_truthy() {
                return Ok(None);
            }
            let Ok(piece) = get(&result, "value").dyn_into::<Uint8Array>() else {
                return Err(Error::internal("a body gave something that is not bytes").into());
            };
            reader.is_done_with(&piece);
            if piece.length() > 0 {
                return Ok(Some(piece));
            }
        }
    }

    fn keep(&mut self, piece: &Uint8Array, from: u32) {
        if from < piece.length() {
            self.rest = Some(piece.subarray(from, piece.length()));
        }
    }
}

/// Reads into one buffer again and again where the browser can; else the browser makes a new one each time, and a
/// model's worth of them lies about until it collects its garbage.
enum Reader {
    Own {
        reader: ReadableStreamByobReader,
        /// Given away while a read is pending; the browser gives the memory back with the bytes.
        buffer: ArrayBuffer,
    },
    Browsers(ReadableStreamDefaultReader),
}

impl Reader {
    fn new(stream: &ReadableStream) -> Result<Self> {
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

    fn read(&self) -> Promise {
        match self {
            Self::Own { reader, buffer } => {
                let view = Uint8Array::new(buffer);
                reader.read_with_array_buffer_view(&view)
            }
            Self::Browsers(reader) => reader.read(),
        }
    }

    /// The next read may overwrite what `piece` is a part of: it is asked for when nothing of it is left.
    fn is_done_with(&mut self, piece: &Uint8Array) {
        if let Self::Own { buffer, .. } = self {
            *buffer = piece.buffer();
        }
    }

    fn cancel(&self) -> Promise {
        match self {
            Self::Own { reader, .. } => reader.cancel(),
            Self::Browsers(reader) => reader.cancel(),
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            // Waited for, so that its failure is nobody's unhandled rejection.
            spawn_local(async move {
                let _ = JsFuture::from(reader.cancel()).await;
            });
        }
    }
}
