//! `puna shard`: a GGUF becomes a manifest and shards named by their content.
//!
//! One shard at a time is in memory. A shard appears under its name only when it is whole, so that a run
//! that was stopped can be run again, and finds what it has done.

use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use puna_core::weights::header::Header;
use puna_core::weights::manifest::{self, Manifest, SHARD_BYTES, Sha256, Shard};
use puna_core::weights::plan::Plan;
use puna_core::{Error, Result};
use sha2::Digest;

use crate::file::{failed, open, replace};
use crate::front::Front;
use crate::place::Place;
use crate::{readable, usage};

pub(crate) const HELP: &str = "\
puna shard: cut a GGUF into shards that any static host can serve

Usage: puna shard FILE -o DIR [--shard-bytes N]

Writes DIR/<sha256>.bin for the header and for each part of the data, then DIR/manifest.json.
Give the manifest's URL to `load` as you would give it a GGUF's. Equal shards of several
models share a file; running it again writes only what is missing.

Options:
  -o, --output DIR      where to, made if it isn't there
      --shard-bytes N   the most bytes of a shard, 4096 to 67108864 [8388608]
  -h, --help            this text
";

struct Options {
    file: PathBuf,
    output: PathBuf,
    shard_bytes: u32,
}

pub(crate) fn run(arguments: Vec<OsString>) -> Result<String> {
    match options(arguments)? {
        None => Ok(HELP.to_owned()),
        Some(options) => shard(&options.file, &options.output, options.shard_bytes),
    }
}

/// `None` if help is asked for.
fn options(arguments: Vec<OsString>) -> Result<Option<Options>> {
    use lexopt::prelude::*;
    let wrong = |error: lexopt::Error| usage(format!("{error}; see `puna shard --help`"));
    let (mut file, mut output, mut shard_bytes) = (None, None, SHARD_BYTES);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Short('h') | Long("help") => return Ok(None),
            Short('o') | Long("output") => output = Some(parser.value().map_err(wrong)?.into()),
            Long("shard-bytes") => {
                shard_bytes = parser
                    .value()
                    .and_then(|value| value.parse())
                    .map_err(wrong)?;
            }
            Value(value) if file.is_none() => file = Some(value.into()),
            other => return Err(wrong(other.unexpected())),
        }
    }
    match (file, output) {
        (Some(file), Some(output)) => Ok(Some(Options {
            file,
            output,
            shard_bytes,
        })),
        (None, _) => Err(usage("which file? see `puna shard --help`".to_owned())),
        (_, None) => Err(usage(
            "where to? give -o DIR, see `puna shard --help`".to_owned(),
        )),
    }
}

fn shard(path: &Path, output: &Path, shard_bytes: u32) -> Result<String> {
    let (mut file, file_bytes) = open(path)?;
    let header = Front::open(&Place::Path(path.to_owned()))?.parse(Header::from_gguf)?;
    let plan = Plan::new(&header, file_bytes, shard_bytes)
        .map_err(|error| error.context(path.display().to_string()))?;
    fs::create_dir_all(output).map_err(|error| failed(output, "can't be made", &error))?;
    let mut whole = sha2::Sha256::new();
    let mut parts = Vec::new();
    let mut written = 0_usize;
    for (offset, bytes) in Manifest::cuts_of(&plan, header.data_offset.min(file_bytes))? {
        let mut content = Vec::new();
        let read = (&mut file)
            .take(u64::from(bytes))
            .read_to_end(&mut content)
            .map_err(|error| failed(path, "can't be read", &error))?;
        if read as u64 != u64::from(bytes) {
            return Err(Error::bad_model_file(format!(
                "{} changed while it was read",
                path.display()
            )));
        }
        whole.update(&content);
        let sha256 = Sha256(sha2::Sha256::digest(&content).into());
        let url = format!("{sha256}.bin");
        if !holds(&output.join(&url), &content) {
            replace(&output.join(&url), |file| file.write_all(&content))?;
            written = written.saturating_add(1);
        }
        parts.push(Shard {
            url,
            offset,
            bytes,
            sha256,
        });
    }
    let header = parts.remove(0);
    let manifest = Manifest {
        format: manifest::FORMAT.to_owned(),
        version: manifest::VERSION,
        name: path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default(),
        file_bytes,
        sha256: Sha256(whole.finalize().into()),
        header,
        shards: parts,
    };
    let text = manifest.to_json();
    // What is published must be readable: the reader's own checks, here.
    Manifest::parse(text.as_bytes())?;
    let place = output.join("manifest.json");
    if !holds(&place, text.as_bytes()) {
        replace(&place, |file| file.write_all(text.as_bytes()))?;
    }
    let count = manifest.parts().count();
    Ok(format!(
        "{}: {count} shards ({} written, {} there already), {}\nsha256 {}\n",
        place.display(),
        written,
        count.saturating_sub(written),
        readable(manifest.file_bytes),
        manifest.sha256
    ))
}

/// Whether the file is there with this content.
fn holds(path: &Path, content: &[u8]) -> bool {
    let same_size = fs::metadata(path).is_ok_and(|about| about.len() == content.len() as u64);
    same_size && fs::read(path).is_ok_and(|there| there == content)
}
