//! How long a server may say nothing before its request is given up.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use js_sys::Promise;
use puna_core::{Error, ErrorCode};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::abort::Abort;
use crate::fetch::Fault;
use crate::js_error::from_fetch;
use crate::timer::Timer;

/// Browsers wait for minutes or for ever. A server that wakes up first, or a phone that changes its network, takes some seconds;
/// whoever says nothing for longer than this has most likely lost the connection, and another request may work.
const IDLE_MS: u32 = 30_000;

/// What `promise`, a step of `request`, comes to. The request is stopped if that takes too long.
pub(crate) async fn in_time(
    promise: Promise,
    request: &Abort,
    url: &str,
) -> Result<JsValue, Fault> {
    let error = match first(JsFuture::from(promise), Timer::new(IDLE_MS)).await {
        Some(Ok(value)) => return Ok(value),
        Some(Err(thrown)) => from_fetch(&thrown, url),
        None => {
            request.check()?;
            request.cancel();
            let seconds = IDLE_MS / 1000;
            Error::new(
                ErrorCode::Network,
                format!("GET {url}: the connection has stalled: nothing came for {seconds} s"),
            )
            .detail("url", url)
        }
    };
    Err(match error.code() {
        ErrorCode::Aborted => Fault::Final(error),
        _ => Fault::Passing {
            error,
            after_ms: None,
        },
    })
}

/// What `work` comes to, or nothing if `limit` is there first.
pub(crate) async fn first<T>(
    work: impl Future<Output = T>,
    limit: impl Future<Output = ()>,
) -> Option<T> {
    let (mut work, mut limit) = (pin!(work), pin!(limit));
    poll_fn(|context| {
        // The work first: a thread that was busy for long finds both ready.
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        limit.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[test]
    fn the_limit_counts_only_where_the_work_is_not_done() {
        let run = |work: Option<u8>, is_over: bool| {
            let work = async move {
                match work {
                    Some(value) => value,
                    None => pending().await,
                }
            };
            let limit = async move {
                if !is_over {
                    pending::<()>().await;
                }
            };
            pollster::block_on(first(work, limit))
        };
        assert_eq!(run(Some(7), false), Some(7), "in time");
        assert_eq!(run(Some(7), true), Some(7), "both are there");
        assert_eq!(run(None, true), None, "too late");
        assert_eq!(
            pollster::block_on(first(ready(7), pending())),
            Some(7),
            "no limit in sight"
        );
    }
}
