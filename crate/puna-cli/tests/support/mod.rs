//! A server of a folder's files, in ranges or whole, which counts what it sends.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// How files are given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// In ranges, with the file's size.
    Ranges,
    /// In ranges, and the size is nobody's business.
    Secretive,
    /// Whole, whatever is asked for.
    Whole,
}

pub(crate) struct Server {
    /// Without a slash at its end.
    pub(crate) origin: String,
    sent: Arc<AtomicU64>,
}

impl Server {
    /// Serves until the tests end.
    pub(crate) fn start(folder: &Path, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::new(AtomicU64::new(0));
        let (folder, counter) = (folder.to_owned(), Arc::clone(&sent));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, counter) = (folder.clone(), Arc::clone(&counter));
                // A client that has seen enough hangs up.
                thread::spawn(
                    move || while answer(&stream, &folder, manner, &counter).is_some() {},
                );
            }
        });
        Self { origin, sent }
    }

    /// Bytes of files that were sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }
}

/// Answers one request; `None` when there is none, or the client is gone.
fn answer(stream: &TcpStream, folder: &Path, manner: Manner, sent: &AtomicU64) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let path = first.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let mut range = None;
    for line in lines {
        let line = line.ok()?.to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("range: bytes=") {
            let (from, to) = value.split_once('-')?;
            range = Some((from.parse::<usize>().ok()?, to.parse::<usize>().ok()?));
        }
    }
    let mut stream = stream;
    let Ok(file) = std::fs::read(folder.join(path)) else {
        return write!(
            stream,
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        )
        .ok();
    };
    let all = match manner {
        Manner::Secretive => "*".to_owned(),
        _ => file.len().to_string(),
    };
    let (head, body) = match range {
        Some((from, to)) if manner != Manner::Whole && from < file.len() => {
            let body = &file[from..file.len().min(to + 1)];
            let last = from + body.len() - 1;
            (
                format!("206 Partial Content\r\ncontent-range: bytes {from}-{last}/{all}"),
                body,
            )
        }
        Some(_) if manner != Manner::Whole => ("416 Range Not Satisfiable".to_owned(), &[][..]),
        _ => ("200 OK".to_owned(), file.as_slice()),
    };
    write!(
        stream,
        "HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    )
    .ok()?;
    for part in body.chunks(1 << 14) {
        stream.write_all(part).ok()?;
        sent.fetch_add(part.len() as u64, Ordering::SeqCst);
    }
    Some(())
}
