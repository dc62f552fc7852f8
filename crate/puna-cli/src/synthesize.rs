//! `puna synthesize`: a model of a true shape with random weights, for measuring.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use puna_core::Result;
use puna_core::synthetic::{SHAPES, Synthetic};

use crate::{file, readable, usage};

const ABOUT: &str = "\
puna synthesize: make a model of a true shape with random weights, for measuring

Usage: puna synthesize SHAPE:FORMAT FILE

Writes a GGUF that Puna and other programs load. All of its matrices have the format, as q4_0 or
q8_0. What it says means nothing; it is as fast as the real one. The same name gives the same
bytes.

Options:
  -h, --help            this text

Shapes:
";

/// With the shapes that there are.
pub(crate) fn help() -> String {
    let names = SHAPES.iter().map(|shape| format!("  {}\n", shape.name));
    std::iter::once(ABOUT.to_owned()).chain(names).collect()
}

pub(crate) fn run(arguments: Vec<OsString>) -> Result<String> {
    use lexopt::prelude::*;
    let wrong = |error: lexopt::Error| usage(format!("{error}; see `puna synthesize --help`"));
    let (mut name, mut path): (Option<String>, Option<PathBuf>) = (None, None);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Short('h') | Long("help") => return Ok(help()),
            Value(value) if name.is_none() => name = Some(value.string().map_err(wrong)?),
            Value(value) if path.is_none() => path = Some(value.into()),
            other => return Err(wrong(other.unexpected())),
        }
    }
    let (Some(name), Some(path)) = (name, path) else {
        return Err(usage(
            "which model, and where to? see `puna synthesize --help`".to_owned(),
        ));
    };
    let synthetic = Synthetic::named(&name)?;
    write(&synthetic, &path).map_err(|error| file::io(&path, "can't be written", &error))?;
    let bytes = readable(synthetic.file_bytes());
    Ok(format!("{}: {name}, {bytes}\n", path.display()))
}

/// Under another name until it is whole.
fn write(synthetic: &Synthetic, path: &Path) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = path.with_file_name(name);
    let write = || {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(&part)?);
        synthetic.write(|piece| out.write_all(piece))?;
        out.into_inner()?.sync_all()?;
        fs::rename(&part, path)
    };
    write().inspect_err(|_| {
        // Best effort: the error that matters is the one already at hand.
        let _ = fs::remove_file(&part);
    })
}
