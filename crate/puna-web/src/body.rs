//! The bytes of an answer as they come, copied from JavaScript's buffers to JavaScript's buffers.

use js_sys::Uint8Array;
use puna_core::Result;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::Response;

use crate::abort::Abort;
use crate::fetch::{Fault, Remote};
use crate::patience::in_time;
use crate::pieces::Pieces;
use crate::progress::Progress;

/// The bytes of an answer as they come. Dropping it ends the request.
pub(crate) struct Body {
    pieces: Option<Pieces>,
    /// What came and has not been asked for.
    rest: Option<Uint8Array>,
    url: String,
    /// Stops this request alone.
    request: Abort,
    progress: Progress,
}

impl Body {
    pub(crate) fn new(response: &Response, request: Abort, remote: &Remote<'_>) -> Result<Self> {
        let pieces = response.body().map(|stream| Pieces::new(&stream));
        let pieces = pieces.transpose()?;
        Ok(Self {
            pieces,
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
        let Some(pieces) = &mut self.pieces else {
            return Ok(None);
        };
        loop {
            let result = in_time(pieces.read(), &self.request, &self.url).await?;
            match pieces.take(&result)? {
                Some(piece) if piece.length() == 0 => {}
                piece => return Ok(piece),
            }
        }
    }

    fn keep(&mut self, piece: &Uint8Array, from: u32) {
        if from < piece.length() {
            self.rest = Some(piece.subarray(from, piece.length()));
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(pieces) = self.pieces.take() {
            // Waited for, so that its failure is nobody's unhandled rejection.
            spawn_local(async move {
                let _ = JsFuture::from(pieces.cancel()).await;
            });
        }
    }
}
