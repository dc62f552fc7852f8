//! `puna inspect`: what a model file or a manifest of shards holds, from its header alone.

use std::ffi::OsString;
use std::fmt::Write;

use puna_core::prepared::{Prepared, Wishes};
use puna_core::report::{MemoryTable, Report, TypeRow};
use puna_core::weights::header::Header;
use puna_core::weights::manifest::{MAX_MANIFEST_BYTES, Manifest};
use puna_core::{Error, Result};

use crate::front::Front;
use crate::model::{read_checkpoint, read_header};
use crate::place::Place;
use crate::{readable, usage};

pub(crate) const HELP: &str = "\
puna inspect: say what a model or shard manifest holds

Usage: puna inspect [--json] FILE_OR_URL

FILE_OR_URL is a GGUF, the first file of a split one (NAME-00001-of-00003.gguf), the folder of a
Hugging Face repository, its config.json or its page there, or the manifest.json that `puna shard`
wrote. Only headers are read, from a server, too. Prints the metadata, a table of the tensor types,
the memory that weights and conversations of some lengths take on a GPU, or why the model can't be
run, and the tensors. Fails if a header is malformed or its file too short for it.

Options:
      --json            the same for programs (of a model, not of a manifest)
  -h, --help            this text
";

pub(crate) fn run(arguments: Vec<OsString>) -> Result<String> {
    use lexopt::prelude::*;
    let wrong = |error: lexopt::Error| usage(format!("{error}; see `puna inspect --help`"));
    let mut place = None;
    let mut json = false;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Short('h') | Long("help") => return Ok(HELP.to_owned()),
            Long("json") => json = true,
            Value(value) if place.is_none() => place = Some(Place::parse(&value)),
            other => return Err(wrong(other.unexpected())),
        }
    }
    let place = place.ok_or_else(|| usage("which file? see `puna inspect --help`".to_owned()))?;
    inspect(&place, json)
}

fn inspect(place: &Place, json: bool) -> Result<String> {
    let (header, bytes) = match place.checkpoint() {
        Some(folder) => read_checkpoint(&folder)?,
        None => {
            let front = Front::open(place)?;
            if Manifest::is_likely(front.bytes()) {
                let text = front.whole(MAX_MANIFEST_BYTES)?;
                let manifest =
                    Manifest::parse(&text).map_err(|error| error.context(place.to_string()))?;
                return shown(|out| show_manifest(place, &manifest, out));
            }
            read_header(place, front)?
        }
    };
    let prepared = Prepared::new(&header, &Wishes::default());
    let report = Report::new(&header, bytes, &prepared);
    if json {
        let text = serde_json::to_string_pretty(&report);
        let text = text.map_err(|error| Error::internal(format!("no JSON: {error}")))?;
        return Ok(text + "\n");
    }
    shown(|out| show(place, &header, &report, prepared.err().as_ref(), out))
}

/// What `show` writes.
fn shown(show: impl FnOnce(&mut String) -> std::fmt::Result) -> Result<String> {
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = show(&mut text);
    Ok(text)
}

fn show(
    place: &Place,
    header: &Header,
    report: &Report,
    problem: Option<&Error>,
    out: &mut String,
) -> std::fmt::Result {
    let files = match report.files {
        1 => String::new(),
        files => format!(" in {files} files"),
    };
    writeln!(
        out,
        "{place}: {}{files}, {} ({} bytes), header {}, {} tensors of {} numbers\n",
        report.format,
        readable(report.file_bytes),
        report.file_bytes,
        readable(report.header_bytes),
        report.tensors.len(),
        report.parameters
    )?;
    writeln!(out, "Metadata")?;
    let keys = || header.metadata.keys();
    let width = keys().map(str::len).max().unwrap_or(0).min(48);
    for key in keys() {
        writeln!(
            out,
            "  {:width$}  {}",
            key.escape_debug().to_string(),
            header.metadata.describe(key).unwrap_or_default()
        )?;
    }
    show_types(&report.types, out)?;
    if let Some(memory) = &report.memory {
        show_memory(memory, out)?;
    }
    if let Some(problem) = problem {
        writeln!(out, "\nIt can't be run: {}", problem.message())?;
    }
    writeln!(out, "\nTensors")?;
    let names = report.tensors.iter().map(|tensor| tensor.name.len());
    let width = names.max().unwrap_or(0).min(64);
    for tensor in &report.tensors {
        let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
        writeln!(
            out,
            "  {:width$}  {:8}  ({})  {} at {}",
            tensor.name.escape_debug().to_string(),
            tensor.kind,
            shape.join(", "),
            readable(tensor.bytes),
            tensor.offset
        )?;
    }
    Ok(())
}

/// What it takes to run it.
fn show_memory(memory: &MemoryTable, out: &mut String) -> std::fmt::Result {
    let weights = [("weights".to_owned(), memory.weights_bytes)].into_iter();
    let rounded = memory.rounded.iter();
    let rounded = rounded.map(|row| (format!("  as {}", row.quantize), row.weights_bytes));
    let contexts = memory.contexts.iter();
    let contexts = contexts.map(|row| (format!("{} tokens", row.tokens), row.bytes));
    writeln!(out, "\nMemory on a GPU")?;
    for (label, bytes) in weights.chain(rounded).chain(contexts) {
        writeln!(out, "  {label:16}  {:>12}", readable(bytes))?;
    }
    Ok(())
}

fn show_types(types: &[TypeRow], out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "\nTypes      tensors        values  bits/value        bytes"
    )?;
    for row in types {
        writeln!(
            out,
            "  {:8} {:7} {:13} {:11.2} {:>12}",
            row.name,
            row.tensors,
            row.elements,
            row.bits_per_weight,
            readable(row.bytes)
        )?;
    }
    Ok(())
}

fn show_manifest(place: &Place, manifest: &Manifest, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "{place}: shards of {:?}, {} ({} bytes)\nsha256 {}\n",
        manifest.name,
        readable(manifest.file_bytes),
        manifest.file_bytes,
        manifest.sha256
    )?;
    for (ix, part) in manifest.parts().enumerate() {
        let name = if ix == 0 {
            "header".to_owned()
        } else {
            format!("shard {}", ix.saturating_sub(1))
        };
        writeln!(
            out,
            "  {name:10} {:>12} {:>10}  {}",
            part.offset, part.bytes, part.url
        )?;
    }
    Ok(())
}
