//! The server of `cargo xtask demo`: files of this machine to a browser of this machine, with byte ranges and
//! cross-origin isolation. Binds to loopback only; knows nothing but GET and HEAD.

mod answer;
mod range;
mod request;
mod site;

use std::io::{self, BufReader, Read as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::outcome::{Explain, Failure, Result};
use request::Request;
pub(crate) use site::{Site, encode_segment};

/// The port when none is asked for. A fixed one, because a browser keeps a model per origin.
const PORT: u16 = 8686;

/// How many ports after it are tried when it is taken.
const MORE_PORTS: u16 = 9;

/// How long a kept-alive connection may say nothing.
const IDLE: Duration = Duration::from_secs(60);

/// How much of a body that nobody wants is let go by.
const UNWANTED_BYTES: u64 = 1 << 20;

/// A bound server that is not serving yet.
pub(crate) struct Server {
    listener: TcpListener,
    site: Arc<Site>,
}

impl Server {
    /// Binds to `port`, or to the first free of a few where none is given.
    pub(crate) fn bind(port: Option<u16>, site: Site) -> Result<Self> {
        let listener = match port {
            Some(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port))
                .explain(|| format!("cannot use port {port}; choose another with --port N"))?,
            None => (PORT..=PORT + MORE_PORTS)
                .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
                .ok_or_else(|| {
                    Failure::new(format!(
                        "the ports {PORT} to {} are all taken; choose another with --port N",
                        PORT + MORE_PORTS
                    ))
                })?,
        };
        Ok(Self {
            listener,
            site: Arc::new(site),
        })
    }

    /// The address to open, ending with a slash.
    pub(crate) fn url(&self) -> Result<String> {
        let address = self
            .listener
            .local_addr()
            .explain(|| "the server has no address")?;
        Ok(format!("http://127.0.0.1:{}/", address.port()))
    }

    /// Serves until the process is ended; a thread a connection.
    pub(crate) fn serve(&self) {
        for stream in self.listener.incoming().flatten() {
            let site = Arc::clone(&self.site);
            // A browser closes connections as it likes: an error here is no news.
            thread::spawn(move || drop(talk(&stream, &site)));
        }
    }
}

/// Answers the requests of one connection until it closes.
fn talk(stream: &TcpStream, site: &Site) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        let keep = request.keep_alive;
        answer::answer(&request, site, stream)?;
        if request.has_body {
            // Closing with bytes unread would reset the connection, and the answer might be lost.
            stream.shutdown(Shutdown::Write)?;
            io::copy(&mut reader.take(UNWANTED_BYTES), &mut io::sink())?;
            break;
        }
        if !keep {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::PathBuf;

    use super::*;

    /// Serves this crate's Cargo.toml as `/models/a b.gguf` and its folder `src` as `/`.
    fn start() -> (String, Vec<u8>) {
        let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let file = package.join("Cargo.toml");
        let contents = std::fs::read(&file).expect("it is there");
        let site = Site::new()
            .mount("/", package.join("src"))
            .mount("/models/a b.gguf", file);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let server = Server {
            listener,
            site: Arc::new(site),
        };
        let address = server.listener.local_addr().expect("bound").to_string();
        thread::spawn(move || server.serve());
        (address, contents)
    }

    /// The answer to one raw request: its head and its body.
    fn ask(address: &str, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("sent");
        stream.shutdown(Shutdown::Write).expect("that is all");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("answered");
        let end = all
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("a head");
        let body = all.split_off(end + 4);
        (String::from_utf8(all).expect("text"), body)
    }

    #[test]
    fn range_is_answered_with_exactly_its_bytes() {
        let (address, contents) = start();
        let (head, body) = ask(
            &address,
            "GET /models/a%20b.gguf HTTP/1.1\r\nRange: bytes=3-9\r\n\r\n",
        );
        assert!(head.starts_with("HTTP/1.1 206 "), "{head}");
        let expected = format!("content-range: bytes 3-9/{}\r\n", contents.len());
        assert!(head.to_lowercase().contains(&expected), "{head}");
        assert_eq!(body, contents[3..10], "the bytes of the range");
    }

    #[test]
    fn pages_are_isolated_and_have_their_type() {
        let (address, _) = start();
        let (head, body) = ask(&address, "HEAD /main.rs?x=1 HTTP/1.1\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        for header in [
            "Cross-Origin-Opener-Policy: same-origin",
            "Cross-Origin-Embedder-Policy: require-corp",
            "Cross-Origin-Resource-Policy: cross-origin",
            "Content-Type: application/octet-stream",
            "Accept-Ranges: bytes",
        ] {
            assert!(head.contains(header), "{header} is not in {head}");
        }
        assert!(body.is_empty(), "HEAD has no body");
    }

    #[test]
    fn paths_out_of_the_folder_are_not_found() {
        let (address, _) = start();
        for path in [
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/..%2fCargo.toml",
            "/%00",
            "/http\\mod.rs",
            "//etc/passwd",
        ] {
            let (head, _) = ask(&address, &format!("GET {path} HTTP/1.1\r\n\r\n"));
            assert!(head.starts_with("HTTP/1.1 404 "), "{path}: {head}");
        }
    }

    #[test]
    fn two_requests_share_a_connection() {
        let (address, _) = start();
        let request = "GET /nothing HTTP/1.1\r\n\r\n".repeat(2);
        let (head, rest) = ask(&address, &request);
        assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
        let rest = String::from_utf8(rest).expect("text");
        assert!(
            rest.contains("HTTP/1.1 404 "),
            "the second answer is in {rest}"
        );
    }

    #[test]
    fn errors_have_no_body_for_head() {
        let (address, _) = start();
        for (request, status) in [
            ("HEAD /nothing HTTP/1.1\r\n\r\n", "404"),
            (
                "HEAD /models/a%20b.gguf HTTP/1.1\r\nRange: bytes=99999999-\r\n\r\n",
                "416",
            ),
        ] {
            let (head, body) = ask(&address, request);
            let expected = format!("HTTP/1.1 {status} ");
            assert!(head.starts_with(&expected), "{request}: {head}");
            assert!(body.is_empty(), "{request}: {body:?}");
        }
        let (head, body) = ask(&address, "GET /nothing HTTP/1.1\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
        assert_eq!(body, b"404 Not Found\n", "GET is told");
    }

    #[test]
    fn a_body_is_not_taken_for_a_request() {
        let (address, _) = start();
        let inner = "GET /nothing HTTP/1.1\r\n\r\n";
        let length = format!("Content-Length: {}", inner.len());
        for (method, header, status) in [
            ("POST", length.as_str(), "405"),
            ("POST", "Transfer-Encoding: chunked", "405"),
            ("GET", "Content-Length: many", "404"),
        ] {
            let request = format!("{method} /absent HTTP/1.1\r\n{header}\r\n\r\n{inner}");
            let (head, body) = ask(&address, &request);
            let expected = format!("HTTP/1.1 {status} ");
            assert!(head.starts_with(&expected), "{request}: {head}");
            assert!(head.contains("Connection: close\r\n"), "{request}: {head}");
            let body = String::from_utf8(body).expect("text");
            assert!(!body.contains("HTTP/1.1"), "a second answer: {body}");
        }
    }

    #[test]
    fn other_methods_and_endless_heads_are_refused() {
        let (address, _) = start();
        let (head, _) = ask(&address, "POST / HTTP/1.1\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 405 "), "{head}");
        let mut stream = TcpStream::connect(&address).expect("it listens");
        let endless = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(100_000));
        // The server may close before it has read all of it.
        let _ = stream.write_all(endless.as_bytes());
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!(all.is_empty(), "a head without an end gets no answer");
    }
}
