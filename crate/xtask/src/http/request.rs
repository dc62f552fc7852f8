//! The head of an HTTP/1.1 request, of bounded size.

use std::io::{self, BufRead, Read as _};

/// The longest head that is read.
const HEAD_BYTES: u64 = 16 << 10;

/// What of a request the server looks at.
#[derive(Debug, Default)]
pub(super) struct Request {
    /// `GET`, `HEAD`, …
    pub(super) method: String,
    /// As sent, with the query.
    pub(super) target: String,
    /// The header `Range`.
    pub(super) range: Option<String>,
    /// The header `If-None-Match`.
    pub(super) if_none_match: Option<String>,
    /// Whether a body follows the head. None is ever read.
    pub(super) has_body: bool,
    /// Whether the connection stays open afterwards; never behind a body, which would be taken for the next request.
    pub(super) keep_alive: bool,
}

impl Request {
    /// The next request, or nothing when the connection has ended; a head that is too long or malformed is an error.
    pub(super) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = reader.take(HEAD_BYTES);
        let Some(first) = line(&mut head)? else {
            return Ok(None);
        };
        let mut words = first.split(' ');
        let (Some(method), Some(target), Some(version)) =
            (words.next(), words.next(), words.next())
        else {
            return Err(io::Error::other("no request line"));
        };
        let mut request = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            keep_alive: version == "HTTP/1.1",
            ..Self::default()
        };
        loop {
            let Some(line) = line(&mut head)? else {
                return Err(io::Error::other("the head does not end"));
            };
            if line.is_empty() {
                request.keep_alive &= !request.has_body;
                return Ok(Some(request));
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            request.header(name, value.trim());
        }
    }

    fn header(&mut self, name: &str, value: &str) {
        if name.eq_ignore_ascii_case("range") {
            self.range = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("if-none-match") {
            self.if_none_match = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") {
            self.keep_alive = false;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            self.has_body = true;
        } else if name.eq_ignore_ascii_case("content-length") {
            self.has_body |= value.parse() != Ok(0_u64);
        }
    }
}

/// A line without its end; nothing when there is no whole line left.
fn line(head: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    head.read_until(b'\n', &mut bytes)?;
    if bytes.pop() != Some(b'\n') {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map(Some).map_err(io::Error::other)
}
