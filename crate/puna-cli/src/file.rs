//! Files on disk: opened, written, and what goes wrong there.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use puna_core::{Error, ErrorCode, Result};

/// Opens a file for reading, and tells its size.
pub(crate) fn open(path: &Path) -> Result<(File, u64)> {
    let file = File::open(path).map_err(|error| failed(path, "can't be opened", &error))?;
    let about = file
        .metadata()
        .map_err(|error| failed(path, "can't be opened", &error))?;
    if !about.is_file() {
        return Err(Error::invalid_request(
            "file",
            format!("{} is not a file", path.display()),
        ));
    }
    Ok((file, about.len()))
}

/// An error of the file system, with the path.
pub(crate) fn failed(path: &Path, what: &str, error: &io::Error) -> Error {
    let code = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => ErrorCode::StorageFull,
        _ => ErrorCode::InvalidRequest,
    };
    Error::new(code, format!("{} {what}: {error}", path.display()))
        .detail("path", path.display().to_string())
}

/// Writes a file so that it is never seen half written.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let replace = || {
        let mut file = File::create(&part)?;
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    replace().map_err(|error| {
        // Best effort: the error that matters is the one already at hand.
        let _ = fs::remove_file(&part);
        failed(path, "can't be written", &error)
    })
}
