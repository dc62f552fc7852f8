//! A file on a server, of which ranges are read one after the other.

use std::io::Read;
use std::time::Duration;

use puna_core::{Error, ErrorCode, Result};
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// A file on a server.
pub(crate) struct WebFile {
    agent: Agent,
    url: String,
    file_bytes: Option<u64>,
}

impl WebFile {
    pub(crate) fn new(url: &str) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .user_agent(concat!("puna/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            url: url.to_owned(),
            file_bytes: None,
        }
    }

    /// The file's size, once the server has told it.
    pub(crate) const fn file_bytes(&self) -> Option<u64> {
        self.file_bytes
    }

    /// Appends so many bytes to those that there are, or what of them the file has.
    pub(crate) fn read(&mut self, count: u64, bytes: &mut Vec<u8>) -> Result<()> {
        let have = bytes.len() as u64;
        if count == 0 || self.file_bytes.is_some_and(|all| all <= have) {
            return Ok(());
        }
        let last = have.saturating_add(count).saturating_sub(1);
        let range = format!("bytes={have}-{last}");
        let request = self.agent.get(&self.url).header("Range", &range);
        let answer = request.call().map_err(|error| self.failed(&error))?;
        let skipped = match answer.status() {
            StatusCode::PARTIAL_CONTENT => {
                let (first, all) = content_range(&answer)
                    .ok_or_else(|| self.failed(&"its Content-Range makes no sense"))?;
                if first != have {
                    let message = format!("expected bytes from {have}, got bytes from {first}");
                    return Err(self.failed(&message));
                }
                self.file_bytes = all.or(self.file_bytes);
                0
            }
            // Who knows no ranges sends all of it from its front.
            StatusCode::OK => {
                self.file_bytes = answer.body().content_length();
                have
            }
            // What begins behind the end of a file whose size nobody told.
            StatusCode::RANGE_NOT_SATISFIABLE if have > 0 => {
                self.file_bytes = Some(have);
                return Ok(());
            }
            status => {
                let error = self.failed(&format!("expected 206 or 200, got {status}"));
                return Err(error.detail("status", status.as_u16()));
            }
        };
        let mut body = answer.into_body().into_reader();
        let ended = std::io::copy(&mut (&mut body).take(skipped), &mut std::io::sink());
        ended.map_err(|error| self.failed(&error))?;
        let read = body.take(count).read_to_end(bytes);
        let read = read.map_err(|error| self.failed(&error))?;
        // A server may give less of a range than there is.
        if (read as u64) < count && self.file_bytes.is_none() {
            self.file_bytes = Some(bytes.len() as u64);
        }
        Ok(())
    }

    fn failed(&self, why: &dyn std::fmt::Display) -> Error {
        Error::new(ErrorCode::Network, format!("GET {}: {why}", self.url))
            .detail("url", self.url.as_str())
    }
}

/// The first byte of a range, and the size of the whole, if it is told (RFC 9110, section 14.4).
fn content_range(answer: &Response<Body>) -> Option<(u64, Option<u64>)> {
    let value = answer.headers().get("content-range")?.to_str().ok()?;
    let (range, all) = value.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    Some((first.trim().parse().ok()?, all.trim().parse().ok()))
}
