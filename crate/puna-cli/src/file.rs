//! A model file on disk: its header in memory, the rest left where it is.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use puna_core::checkpoint::{self, COMPANIONS, CONFIG, Companions, Shard, is_required};
use puna_core::weights::header::{Header, MAX_HEADER_BYTES, Parsed};
use puna_core::weights::safetensors;
use puna_core::weights::split::{join, later_files};
use puna_core::{Error, ErrorCode, Result};

/// Fits the header of most models.
const FIRST_BYTES: u64 = 1 << 20;

/// An open GGUF. The file stands where the reading of the header happened to end.
pub(crate) struct ModelFile {
    pub(crate) file: File,
    pub(crate) file_bytes: u64,
    pub(crate) header: Header,
}

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

/// Opens a GGUF and reads its header.
pub(crate) fn open_gguf(path: &Path) -> Result<ModelFile> {
    let (file, file_bytes, header) = read_front(path, Header::from_gguf)?;
    Ok(ModelFile {
        file,
        file_bytes,
        header,
    })
}

/// Opens a file and reads as much of its front as `parse` takes: the file, its size, and what was read.
fn read_front<T>(
    path: &Path,
    parse: impl Fn(&[u8]) -> Result<Parsed<T>>,
) -> Result<(File, u64, T)> {
    let (mut file, file_bytes) = open(path)?;
    let mut prefix = Vec::new();
    let mut wanted = FIRST_BYTES;
    loop {
        let missing = wanted.min(file_bytes).saturating_sub(prefix.len() as u64);
        (&mut file)
            .take(missing)
            .read_to_end(&mut prefix)
            .map_err(|error| failed(path, "can't be read", &error))?;
        let parsed = parse(&prefix).map_err(|error| error.context(path.display().to_string()))?;
        match parsed {
            Parsed::Done(header) => return Ok((file, file_bytes, header)),
            Parsed::NeedMore { at_least } if (prefix.len() as u64) < file_bytes => {
                wanted = at_least
                    .max(wanted.saturating_mul(2))
                    .min(MAX_HEADER_BYTES.max(at_least));
            }
            Parsed::NeedMore { at_least } => {
                return Err(Error::bad_model_file(format!(
                    "{}: ends at byte {file_bytes}, inside its header, which has at least {at_least} bytes; it is cut short",
                    path.display()
                )));
            }
        }
    }
}

/// The folder of a checkpoint, if the path is that of one or of its `config.json`.
pub(crate) fn checkpoint_folder(path: &Path) -> Option<&Path> {
    if path.is_dir() {
        return Some(path);
    }
    let is_config = path.file_name().is_some_and(|name| name == CONFIG);
    path.parent().filter(|_| is_config)
}

/// The header of a checkpoint as Hugging Face's repositories hold it, and the size of its files.
pub(crate) fn read_checkpoint(folder: &Path) -> Result<(Header, u64)> {
    let named = |error: Error| error.context(folder.display().to_string());
    let mut companions = Companions::default();
    for name in COMPANIONS {
        let path = folder.join(name);
        if path.exists() || is_required(name) {
            let bytes = fs::read(&path).map_err(|error| failed(&path, "can't be read", &error))?;
            companions.push(name, bytes).map_err(named)?;
        }
    }
    let mut shards = Vec::new();
    for name in companions.shards().map_err(named)? {
        let path = folder.join(name);
        let (_, bytes, header) = read_front(&path, safetensors::parse)?;
        shards.push(Shard { header, bytes });
    }
    let (header, bytes) = checkpoint::header(companions, shards).map_err(named)?;
    header.check(bytes).map_err(named)?;
    Ok((header, bytes))
}

/// The header of a model and the size of its files: of all of them, if it was split and `path` is the first.
pub(crate) fn read_header(path: &Path) -> Result<(Header, u64)> {
    let first = open_gguf(path)?;
    let own = path.to_string_lossy();
    let named = |error: Error| error.context(own.as_ref());
    let later = later_files(&first.header, &own).map_err(named)?;
    let mut files = vec![(first.header, first.file_bytes)];
    for path in later {
        let other = open_gguf(Path::new(&path))?;
        files.push((other.header, other.file_bytes));
    }
    let (header, bytes) = join(files).map_err(named)?;
    header.check(bytes).map_err(named)?;
    Ok((header, bytes))
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
