//! `puna synthesize`: a model of a true shape with random weights, for measuring.

use std::ffi::OsString;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use puna_core::Result;
use puna_core::synthetic::{SHAPES, Synthetic};

use crate::file::replace;
use crate::{readable, usage};

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
    replace(&path, |file| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        synthetic.write(|piece| out.write_all(piece))?;
        out.flush()
    })?;
    let bytes = readable(synthetic.file_bytes());
    Ok(format!("{}: {name}, {bytes}\n", path.display()))
}
