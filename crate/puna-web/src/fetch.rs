//! Bytes from an address: a range or the whole, checked, and asked for again where that may help.
//!
//! Bodies are copied from JavaScript's buffers to JavaScript's buffers; no byte of them enters wasm's memory.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use js_sys::{Date, Uint8Array};
use puna_core::{Error, ErrorCode, Result};
use wasm_bindgen::prelude::*;
use web_sys::{Headers, Request, RequestCache, RequestInit, Response, ResponseType};

use crate::abort::Abort;
use crate::body::Body;
use crate::http::{self, Answer, Head};
use crate::js_error::from_js;
use crate::patience::in_time;
use crate::progress::Progress;

#[wasm_bindgen]
extern "C" {
    // In a window and in a worker alike; web-sys has one for each.
    #[wasm_bindgen(js_name = fetch)]
    fn fetch(request: &Request) -> js_sys::Promise;
}

/// After so many bytes a failed attempt counts as the first again: a bad connection may fail often and still get there.
const PROGRESS_BYTES: u32 = 64 << 10;

/// What all requests of a load share.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) abort: &'a Abort,
    pub(crate) progress: &'a Progress,
    /// Whether nothing is wanted but headers: what else comes along is of no use.
    pub(crate) is_thrifty: bool,
    /// Whether a folder is that of an adapter and not of a model.
    pub(crate) of_adapter: bool,
}

/// A failed attempt.
pub(crate) enum Fault {
    /// Asking again won't help.
    Final(Error),
    /// Asking again may help, at the earliest after so long.
    Passing { error: Error, after_ms: Option<u32> },
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

/// What reading a range came to.
pub(crate) enum Got {
    /// So many bytes; fewer than asked for at the end of the file.
    Bytes(u32),
    /// The server sends the whole file, whatever is asked for.
    Whole(Body),
}

/// A file at an address. Notices when it becomes another one.
pub(crate) struct Remote<'a> {
    pub(crate) context: Context<'a>,
    pub(crate) url: String,
    /// The validator of the first answer, or that of what is in the cache.
    pub(crate) validator: RefCell<Option<String>>,
    /// Size of the file, once known.
    pub(crate) total: Cell<Option<u64>>,
    /// Whether `validator` and `total` are the cache's, and no answer has confirmed them.
    from_cache: Cell<bool>,
    /// The file is another one than that in the cache.
    pub(crate) outdated: Cell<bool>,
}

impl<'a> Remote<'a> {
    pub(crate) fn new(context: Context<'a>, url: &str) -> Self {
        Self {
            context,
            url: url.to_owned(),
            validator: RefCell::new(None),
            total: Cell::new(None),
            from_cache: Cell::new(false),
            outdated: Cell::new(false),
        }
    }

    /// A file of which the cache has a part.
    pub(crate) fn cached(
        context: Context<'a>,
        url: &str,
        validator: Option<String>,
        total: Option<u64>,
    ) -> Self {
        let remote = Self::new(context, url);
        *remote.validator.borrow_mut() = validator;
        remote.total.set(total);
        remote.from_cache.set(true);
        remote
    }

    /// Reads from `start` into all of `buffer`, or up to the file's end.
    pub(crate) async fn read_range(&self, start: u64, buffer: &Uint8Array) -> Result<Got> {
        let asked = buffer.length();
        let mut tries = Tries::default();
        let mut done = 0;
        loop {
            let range = start.saturating_add(done.into())..start.saturating_add(asked.into());
            // The browser's own cache makes requests for parts of one file wait for each other, and would keep a second copy.
            let fault = match self.open(Some(&range), RequestCache::NoStore).await {
                Ok((Answer::Whole { .. }, body)) if done == 0 => return Ok(Got::Whole(body)),
                Ok((Answer::Whole { .. }, _)) => Error::new(
                    ErrorCode::Network,
                    format!(
                        "GET {}: the server gave ranges and no longer does",
                        self.url
                    ),
                )
                .into(),
                Ok((Answer::Range { total }, mut body)) => {
                    let left = total.map_or(asked.into(), |total| total.saturating_sub(start));
                    let goal = u32::try_from(left).unwrap_or(asked).min(asked);
                    match body.fill(buffer, &mut done, goal).await {
                        Ok(()) if done == goal || total.is_none() => {
                            if total.is_none() && body.has_more().await {
                                let message = format!(
                                    "GET {}: the server sent more than bytes {}-{}",
                                    self.url, range.start, range.end
                                );
                                return Err(Error::new(ErrorCode::Network, message)
                                    .detail("url", self.url.as_str()));
                            }
                            return Ok(Got::Bytes(done));
                        }
                        Ok(()) => self.short(done, goal),
                        Err(fault) => fault,
                    }
                }
                Err(fault) => fault,
            };
            tries.after(fault, done, self.context.abort).await?;
        }
    }

    /// Reads a file of just `buffer`'s size, and says whether it is. What was read is kept when a connection is dropped.
    pub(crate) async fn read_whole(
        &self,
        buffer: &Uint8Array,
        cache: RequestCache,
    ) -> Result<bool> {
        let size = buffer.length();
        let mut tries = Tries::default();
        let mut done = 0;
        loop {
            let rest = (done > 0).then(|| u64::from(done)..u64::from(size));
            let fault = match self.open(rest.as_ref(), cache).await {
                Ok((answer, mut body)) => {
                    if let Answer::Whole { .. } = answer {
                        self.context.progress.lost(done.into());
                        done = 0;
                    }
                    match body.fill(buffer, &mut done, size).await {
                        Ok(()) => {
                            let fits = done == size && !body.has_more().await;
                            if !fits {
                                self.context.progress.lost(done.into());
                            }
                            return Ok(fits);
                        }
                        Err(fault) => fault,
                    }
                }
                Err(fault) => fault,
            };
            tries.after(fault, done, self.context.abort).await?;
        }
    }

    /// One request. `None` asks for the whole file.
    pub(crate) async fn open(
        &self,
        range: Option<&Range<u64>>,
        cache: RequestCache,
    ) -> Result<(Answer, Body), Fault> {
        self.context.abort.check()?;
        // A stalled request is stopped alone; the load's other ones go on.
        let abort = Abort::new(Some(&self.context.abort.signal()))?;
        let request = self
            .request(range, cache, &abort)
            .map_err(|thrown| from_js(&thrown, &format!("GET {}", self.url)))?;
        let response: Response = in_time(fetch(&request), &abort, &self.url)
            .await?
            .unchecked_into();
        let head = head(&response);
        let body = Body::new(&response, abort, self)?;
        let answer = match http::judge(range, &head, &self.url) {
            Ok(answer) => answer,
            Err(error) if http::is_transient(head.status) => {
                let after = response.headers().get("retry-after").ok().flatten();
                let after_ms =
                    after.and_then(|text| http::retry_after_ms(&text, Date::now(), Date::parse));
                return Err(Fault::Passing { error, after_ms });
            }
            Err(error) => return Err(error.into()),
        };
        self.compare(&answer, &head)?;
        Ok((answer, body))
    }

    fn request(
        &self,
        range: Option<&Range<u64>>,
        cache: RequestCache,
        abort: &Abort,
    ) -> Result<Request, JsValue> {
        let init = RequestInit::new();
        init.set_signal(Some(&abort.signal()));
        init.set_cache(cache);
        if let Some(range) = range {
            let headers = Headers::new()?;
            headers.set(
                "range",
                &format!("bytes={}-{}", range.start, range.end.saturating_sub(1)),
            )?;
            init.set_headers_headers(&headers);
        }
        Request::new_with_str_and_init(&self.url, &init)
    }

    /// Fails if the answer is about another file than the answers before.
    fn compare(&self, answer: &Answer, head: &Head) -> Result<()> {
        let (Answer::Range { total } | Answer::Whole { total }) = *answer;
        let validator = http::validator(head);
        let mut known = self.validator.borrow_mut();
        let sizes_differ = total
            .zip(self.total.get())
            .is_some_and(|(now, before)| now != before);
        if sizes_differ || http::changed(known.as_deref(), validator.as_deref()) {
            self.outdated.set(self.from_cache.get());
            let mut error = Error::new(
                ErrorCode::Network,
                format!(
                    "GET {}: the file was changed on the server while it was being downloaded; load it again",
                    self.url
                ),
            );
            for (key, value) in [("expected", known.clone()), ("got", validator)] {
                error = error.detail(key, value);
            }
            return Err(error
                .detail("url", self.url.as_str())
                .detail("status", head.status));
        }
        self.from_cache.set(false);
        self.total.set(total.or(self.total.get()));
        *known = known.take().or(validator);
        Ok(())
    }

    fn short(&self, got: u32, expected: u32) -> Fault {
        let message = format!(
            "GET {}: the answer ended after {got} of {expected} bytes",
            self.url
        );
        Fault::Passing {
            error: Error::new(ErrorCode::Network, message).detail("url", self.url.as_str()),
            after_ms: None,
        }
    }
}

/// Counts failed attempts.
#[derive(Default)]
pub(crate) struct Tries {
    failed: u32,
    /// How far reading was at the last failure.
    reached: u32,
}

impl Tries {
    /// Waits before the next attempt, or fails if it makes no sense. `done`: how far reading is.
    pub(crate) async fn after(&mut self, fault: Fault, done: u32, abort: &Abort) -> Result<()> {
        let (error, after_ms) = match fault {
            Fault::Final(error) => return Err(error),
            Fault::Passing { error, after_ms } => (error, after_ms),
        };
        if done.saturating_sub(self.reached) >= PROGRESS_BYTES {
            self.failed = 0;
        }
        self.reached = done;
        self.failed = self.failed.saturating_add(1);
        match http::delay_ms(self.failed, after_ms) {
            Some(ms) => abort.sleep(ms).await,
            None => Err(error.detail("attempts", self.failed)),
        }
    }
}

fn head(response: &Response) -> Head {
    let headers = response.headers();
    let header = |name| headers.get(name).ok().flatten();
    Head {
        status: response.status(),
        content_range: header("content-range"),
        content_encoding: header("content-encoding"),
        content_length: header("content-length"),
        etag: header("etag"),
        last_modified: header("last-modified"),
        may_hide: response.type_() == ResponseType::Cors,
    }
}
