//! Says what a file is that does not begin as a GGUF does, so that the message helps.

use crate::{Error, Result};

/// `Ok` if `prefix` begins as a GGUF does, or is too short to tell; otherwise what it seems to be.
pub(super) fn check_magic(prefix: &[u8]) -> Result<()> {
    const MAGIC: &[u8] = b"GGUF";
    if MAGIC.iter().zip(prefix).all(|(want, got)| want == got) {
        return Ok(());
    }
    let found = describe(prefix);
    let first: Vec<String> = prefix
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Err(Error::bad_model_file(format!(
        "not a GGUF file: it begins with the bytes {} instead of 47 47 55 46 (\"GGUF\"){found}",
        first.join(" ")
    )))
}

fn describe(prefix: &[u8]) -> String {
    let text = prefix.trim_ascii_start();
    let starts = |with: &str| {
        text.get(..with.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(with.as_bytes()))
    };
    let found = if starts("<!doctype") || starts("<html") || starts("<?xml") || starts("<head") {
        "an HTML page: the URL leads to a web page (an error or sign-in page, perhaps) and not to the \
         file; use the address of the file itself"
    } else if starts("version https://git-lfs") {
        "a Git LFS pointer: the repository holds a reference and not the file; fetch the file itself \
         (`git lfs pull`, or the download address)"
    } else if prefix.starts_with(b"PK\x03\x04") {
        "a zip archive (a PyTorch checkpoint is one, too): unpack it, or convert the model to GGUF"
    } else if prefix.starts_with(b"\x1f\x8b") || prefix.starts_with(b"\x28\xb5\x2f\xfd") {
        "a compressed file: decompress it first"
    } else if prefix.get(8) == Some(&b'{') && prefix.get(6..8) == Some(&[0, 0]) {
        "a safetensors file: name the folder that it is in, ending in a slash, or choose config.json, \
         tokenizer.json and the files of weights together"
    } else if starts("{") || starts("[") {
        "a JSON text"
    } else if [b"tjgg", b"lmgg", b"fmgg", b"algg"]
        .iter()
        .any(|old| prefix.starts_with(*old))
    {
        "a file of llama.cpp from before GGUF: convert the model anew"
    } else if prefix.iter().take(32).all(|byte| *byte == 0) {
        "zeros: an unfinished download, perhaps"
    } else {
        return String::new();
    };
    format!("; it seems to be {found}")
}

/// What to say about a version that this reader does not know.
pub(super) fn check_version(version: u32) -> Result<()> {
    match version {
        2 | 3 => Ok(()),
        1 => Err(Error::unsupported_model(
            "GGUF version 1 is not supported (2 and 3 are): convert the model anew",
        )),
        swapped if (1..=0xff).contains(&swapped.swap_bytes()) => {
            Err(Error::unsupported_model(format!(
                "a big-endian GGUF (version {}) is not supported: convert the model for a little-endian machine",
                swapped.swap_bytes()
            )))
        }
        0 => Err(Error::bad_model_file(
            "GGUF version 0 does not exist: the header is damaged",
        )),
        other => Err(Error::unsupported_model(format!(
            "GGUF version {other} is not supported (2 and 3 are): a newer release may read it"
        ))),
    }
}
