//! A model's file on a server: in ranges, or, where the server knows none, as one stream for all who want parts of it.

use std::cell::{Cell, RefCell};

use js_sys::Uint8Array;
use puna_core::{Error, ErrorCode, Result};
use web_sys::RequestCache;

use crate::body::Body;
use crate::buffer::{allocate, release};
use crate::fetch::{Fault, Got, Remote, Tries};
use crate::http::Answer;
use crate::lanes::Turn;
use crate::ranged::Ranged;

/// How a server gives a file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Nothing was asked for yet.
    Unknown,
    /// In ranges, any number at once.
    Ranges,
    /// Only whole: one answer is read from front to end.
    Stream,
}

/// A file on a server.
pub(crate) struct WebFile<'a> {
    pub(crate) remote: Remote<'a>,
    mode: Cell<Mode>,
    /// The one answer that is read from front to end, and how far it is.
    stream: Turn<Option<(Body, u64)>>,
    /// Where those begin who wait for the stream: the first one is next.
    waiting: RefCell<Vec<u64>>,
    /// The file's first bytes, kept so that what came along with the header is not asked for again.
    head: Head,
    /// The head is the whole file.
    ended: Cell<bool>,
}

/// The file's first bytes.
struct Head(RefCell<Uint8Array>);

impl Drop for Head {
    fn drop(&mut self) {
        release(&self.0.borrow().buffer());
    }
}

impl<'a> WebFile<'a> {
    pub(crate) fn new(remote: Remote<'a>) -> Self {
        Self {
            remote,
            mode: Cell::new(Mode::Unknown),
            stream: Turn::new(None),
            waiting: RefCell::default(),
            head: Head(RefCell::new(Uint8Array::new_with_length(0))),
            ended: Cell::new(false),
        }
    }

    /// How many bytes of a range came along with the head.
    pub(crate) fn in_head(&self, start: u64, bytes: u32) -> u64 {
        let head = u64::from(self.head.0.borrow().length());
        head.saturating_sub(start).min(bytes.into())
    }

    /// Copies what the head holds of `buffer`'s front.
    fn copy_head(&self, start: u64, buffer: &Uint8Array) -> u32 {
        let head = self.head.0.borrow();
        let Some(start) = u32::try_from(start)
            .ok()
            .filter(|start| *start < head.length())
        else {
            return 0;
        };
        let part = head.subarray(
            start,
            start.saturating_add(buffer.length()).min(head.length()),
        );
        buffer.set(&part, 0);
        part.length()
    }

    async fn read_stream(&self, start: u64, buffer: &Uint8Array) -> Result<u32> {
        self.waiting.borrow_mut().push(start);
        let mut stream = self
            .stream
            .take_if(|| self.waiting.borrow().iter().min() == Some(&start))
            .await;
        self.waiting.borrow_mut().retain(|other| *other != start);
        let progress = self.remote.context.progress;
        let mut tries = Tries::default();
        loop {
            let mut done = 0;
            let result = self.advance(&mut stream, start, buffer, &mut done).await;
            match result {
                Ok(()) => return Ok(done),
                Err(fault) => {
                    *stream = None;
                    progress.lost(done.into());
                    tries.after(fault, 0, self.remote.context.abort).await?;
                }
            }
        }
    }

    /// Goes to `start` in the stream and fills `buffer`, or what of it there is.
    async fn advance(
        &self,
        stream: &mut Option<(Body, u64)>,
        start: u64,
        buffer: &Uint8Array,
        done: &mut u32,
    ) -> Result<(), Fault> {
        if stream
            .as_ref()
            .is_none_or(|(_, position)| *position > start)
        {
            *stream = None;
            match self.remote.open(None, RequestCache::NoStore).await? {
                (Answer::Whole { .. }, body) => *stream = Some((body, 0)),
                (Answer::Range { .. }, _) => {
                    return Err(Error::internal("a range that nobody asked for").into());
                }
            }
        }
        let Some((body, position)) = stream else {
            return Err(Error::internal("a stream that was just opened is gone").into());
        };
        let gone = body.skip(start.saturating_sub(*position)).await?;
        *position = position.saturating_add(gone);
        if *position < start {
            // The file's end; the caller sees that nothing was read.
            return Ok(());
        }
        body.fill(buffer, done, buffer.length()).await?;
        *position = position.saturating_add((*done).into());
        Ok(())
    }
}

impl Ranged for WebFile<'_> {
    async fn head(&self, bytes: u32) -> Result<Uint8Array> {
        let old = self.head.0.borrow().clone();
        // Who asks for what is behind a file's end gets an error and no bytes.
        let total = self.remote.total.get();
        if total.is_some_and(|total| total <= old.length().into()) {
            self.ended.set(true);
        }
        if old.length() < bytes && !self.ended.get() {
            let grown = allocate(bytes)?;
            grown.set(&old, 0);
            let rest = grown.subarray(old.length(), bytes);
            let got = match self.read(old.length().into(), &rest).await {
                // A server that hides the size tells it this way.
                Err(error) if total.is_none() && old.length() > 0 && is_behind_the_end(&error) => 0,
                got => got?,
            };
            self.ended.set(got < rest.length());
            *self.head.0.borrow_mut() = grown.subarray(0, old.length().saturating_add(got));
            release(&old.buffer());
        }
        Ok(self.head.0.borrow().clone())
    }

    async fn read(&self, start: u64, buffer: &Uint8Array) -> Result<u32> {
        let known = self.copy_head(start, buffer);
        if known == buffer.length() {
            return Ok(known);
        }
        let start = start.saturating_add(known.into());
        let buffer = buffer.subarray(known, buffer.length());
        if self.mode.get() == Mode::Unknown {
            // The first one finds out; the others wait for it.
            let mut stream = self.stream.take().await;
            if self.mode.get() == Mode::Unknown {
                match self.remote.read_range(start, &buffer).await? {
                    Got::Bytes(got) => {
                        self.mode.set(Mode::Ranges);
                        return Ok(known.saturating_add(got));
                    }
                    Got::Whole(body) => {
                        self.mode.set(Mode::Stream);
                        *stream = Some((body, 0));
                    }
                }
            }
        }
        let got = match self.mode.get() {
            Mode::Stream => self.read_stream(start, &buffer).await?,
            Mode::Unknown | Mode::Ranges => match self.remote.read_range(start, &buffer).await? {
                Got::Bytes(got) => got,
                Got::Whole(_) => {
                    let url = self.remote.url.as_str();
                    let message = format!(
                        "GET {url}: the server answered 200: it gave ranges and no longer does"
                    );
                    return Err(Error::new(ErrorCode::Network, message)
                        .detail("url", url)
                        .detail("status", 200));
                }
            },
        };
        Ok(known.saturating_add(got))
    }

    fn total(&self) -> Option<u64> {
        self.remote.total.get()
    }

    fn label(&self) -> &str {
        &self.remote.url
    }

    fn learn_size(&self, bytes: u64) {
        if self.remote.total.get().is_none() {
            self.remote.total.set(Some(bytes));
        }
    }

    fn is_thrifty(&self) -> bool {
        self.remote.context.is_thrifty
    }

    fn padded(&self, bytes: u32) {
        self.remote.context.progress.unneeded(bytes.into());
    }
}

/// Whether a server has nothing at the range that was asked for.
fn is_behind_the_end(error: &Error) -> bool {
    error.code() == ErrorCode::Network
        && error
            .details()
            .get("status")
            .is_some_and(|status| *status == 416)
}
