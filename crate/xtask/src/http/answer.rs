//! The answer to one request.

use std::fmt::Write as _;
use std::fs::{File, Metadata};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::UNIX_EPOCH;

use super::range::{Wanted, wanted};
use super::request::Request;
use super::site::Site;

/// On every answer: the page is cross-origin isolated, and its own files may be used in it.
const ISOLATION: &str = "\
Cross-Origin-Opener-Policy: same-origin\r
Cross-Origin-Embedder-Policy: require-corp\r
Cross-Origin-Resource-Policy: cross-origin\r
X-Content-Type-Options: nosniff\r
";

/// Writes the answer to `stream`.
pub(super) fn answer(request: &Request, site: &Site, mut stream: &TcpStream) -> io::Result<()> {
    if request.method != "GET" && request.method != "HEAD" {
        return plain(
            request,
            stream,
            "405 Method Not Allowed",
            "Allow: GET, HEAD\r\n",
        );
    }
    let Some(path) = site.file(&request.target) else {
        return plain(request, stream, "404 Not Found", "");
    };
    let Ok(mut file) = File::open(&path) else {
        return plain(request, stream, "403 Forbidden", "");
    };
    let about = file.metadata()?;
    let etag = etag(&about);
    if request.range.is_none() && request.if_none_match.as_deref() == Some(&etag) {
        return head(
            request,
            stream,
            "304 Not Modified",
            &format!("ETag: {etag}\r\nCache-Control: no-cache\r\n"),
        );
    }
    let all_bytes = about.len();
    let (status, range) = match wanted(request.range.as_deref(), all_bytes) {
        Wanted::All => ("200 OK", 0..all_bytes),
        Wanted::Part(range) => ("206 Partial Content", range),
        Wanted::Nothing => {
            return plain(
                request,
                stream,
                "416 Range Not Satisfiable",
                &format!("Content-Range: bytes */{all_bytes}\r\n"),
            );
        }
    };
    let n_bytes = range.end - range.start;
    let mut headers = format!(
        "Content-Type: {}\r\nContent-Length: {n_bytes}\r\nAccept-Ranges: bytes\r\nETag: {etag}\r\nCache-Control: no-cache\r\n",
        mime(&path)
    );
    if status.starts_with("206") {
        let _ = write!(
            headers,
            "Content-Range: bytes {}-{}/{all_bytes}\r\n",
            range.start,
            range.end - 1
        );
    }
    head(request, stream, status, &headers)?;
    if request.method == "HEAD" {
        return Ok(());
    }
    file.seek(SeekFrom::Start(range.start))?;
    let sent = io::copy(&mut file.take(n_bytes), &mut stream)?;
    if sent == n_bytes {
        return Ok(());
    }
    Err(io::Error::other(
        "the file became shorter: the connection must close",
    ))
}

fn head(request: &Request, mut stream: &TcpStream, status: &str, headers: &str) -> io::Result<()> {
    let connection = if request.keep_alive {
        ""
    } else {
        "Connection: close\r\n"
    };
    stream
        .write_all(format!("HTTP/1.1 {status}\r\n{ISOLATION}{connection}{headers}\r\n").as_bytes())
}

/// An answer that is its status; to HEAD without the body, as every answer.
fn plain(request: &Request, mut stream: &TcpStream, status: &str, headers: &str) -> io::Result<()> {
    let body = format!("{status}\n");
    let length = body.len();
    head(
        request,
        stream,
        status,
        &format!(
            "{headers}Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n"
        ),
    )?;
    if request.method == "HEAD" {
        return Ok(());
    }
    stream.write_all(body.as_bytes())
}

/// Changes when the file does.
fn etag(about: &Metadata) -> String {
    let changed = about
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!(
        "\"{:x}-{:x}\"",
        about.len(),
        changed.map_or(0, |time| time.as_nanos())
    )
}

/// The type by the name's ending. A browser compiles wasm while it streams only under its right type.
fn mime(path: &Path) -> &'static str {
    let extension = path
        .extension()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    match extension.as_str() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_browsers_insist_on_are_right() {
        for (name, expected) in [
            ("a.wasm", "application/wasm"),
            ("a.JS", "text/javascript; charset=utf-8"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.json", "application/json"),
            ("a.gguf", "application/octet-stream"),
        ] {
            assert_eq!(mime(Path::new(name)), expected, "{name}");
        }
    }
}
