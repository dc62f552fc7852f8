//! `puna inspect`: what a model file or a manifest of shards holds, from its header alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use puna_core::model;
use puna_core::quant::Format;
use puna_core::weights::header::{Header, TensorInfo, type_name};
use puna_core::weights::manifest::{MAX_MANIFEST_BYTES, Manifest};
use puna_core::{Error, Result};

use crate::file::{checkpoint_folder, failed, open, read_checkpoint, read_header};
use crate::{readable, usage};

pub(crate) const HELP: &str = "\
puna inspect: say what a model file or shard manifest holds

Usage: puna inspect FILE

FILE is a GGUF, the first file of a split one (NAME-00001-of-00003.gguf), the folder of a Hugging
Face repository or its config.json, or the manifest.json that `puna shard` wrote. Only headers are read. Prints the metadata, a table of the tensor types,
the memory that weights and conversations of some lengths take on a GPU, or why the model can't be
run, and the tensors. Fails if a header is malformed or its file too short for it.

Options:
  -h, --help            this text
";

pub(crate) fn run(arguments: Vec<OsString>) -> Result<String> {
    use lexopt::prelude::*;
    let wrong = |error: lexopt::Error| usage(format!("{error}; see `puna inspect --help`"));
    let mut file: Option<PathBuf> = None;
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(wrong)? {
        match argument {
            Short('h') | Long("help") => return Ok(HELP.to_owned()),
            Value(value) if file.is_none() => file = Some(value.into()),
            other => return Err(wrong(other.unexpected())),
        }
    }
    let file = file.ok_or_else(|| usage("which file? see `puna inspect --help`".to_owned()))?;
    let mut text = String::new();
    // Writing to a String does not fail.
    let _ = inspect(&file, &mut text)?;
    Ok(text)
}

fn inspect(path: &Path, out: &mut String) -> Result<std::fmt::Result> {
    if let Some(folder) = checkpoint_folder(path) {
        let (header, bytes) = read_checkpoint(folder)?;
        return Ok(show_header(path, bytes, &header, out));
    }
    let (mut file, file_bytes) = open(path)?;
    let mut first = Vec::new();
    (&mut file)
        .take(64)
        .read_to_end(&mut first)
        .map_err(|error| failed(path, "can't be read", &error))?;
    if Manifest::is_likely(&first) {
        if file_bytes > MAX_MANIFEST_BYTES {
            return Err(Error::bad_model_file(format!(
                "{}: JSON of {file_bytes} bytes; a manifest has at most {MAX_MANIFEST_BYTES}",
                path.display()
            )));
        }
        file.read_to_end(&mut first)
            .map_err(|error| failed(path, "can't be read", &error))?;
        let manifest =
            Manifest::parse(&first).map_err(|error| error.context(path.display().to_string()))?;
        return Ok(show_manifest(path, &manifest, out));
    }
    let (header, file_bytes) = read_header(path)?;
    Ok(show_header(path, file_bytes, &header, out))
}

fn show_header(
    path: &Path,
    file_bytes: u64,
    header: &Header,
    out: &mut String,
) -> std::fmt::Result {
    writeln!(
        out,
        "{}: {}{}, {} ({file_bytes} bytes), header {}, {} tensors\n",
        path.display(),
        header.origin,
        match header.starts.len() {
            1 => String::new(),
            files => format!(" in {files} files"),
        },
        readable(file_bytes),
        readable(header.data_offset),
        header.tensors.len()
    )?;
    writeln!(out, "Metadata")?;
    let width = header
        .metadata
        .keys()
        .map(str::len)
        .max()
        .unwrap_or(0)
        .min(48);
    for key in header.metadata.keys() {
        writeln!(
            out,
            "  {:width$}  {}",
            key.escape_debug().to_string(),
            header.metadata.describe(key).unwrap_or_default()
        )?;
    }
    show_types(&header.tensors, out)?;
    show_memory(header, out)?;
    writeln!(out, "\nTensors")?;
    let width = header
        .tensors
        .iter()
        .map(|tensor| tensor.name.len())
        .max()
        .unwrap_or(0)
        .min(64);
    for tensor in &header.tensors {
        let dims: Vec<String> = tensor.dims.iter().rev().map(u64::to_string).collect();
        writeln!(
            out,
            "  {:width$}  {:8}  ({})  {} at {}",
            tensor.name.escape_debug().to_string(),
            type_name(tensor.ggml_type).unwrap_or("?"),
            dims.join(", "),
            readable(tensor.bytes),
            tensor.offset
        )?;
    }
    Ok(())
}

/// What it takes to run it; or why it can't be run.
fn show_memory(header: &Header, out: &mut String) -> std::fmt::Result {
    let graph = match model::open(header) {
        Ok((_, graph)) => graph,
        Err(error) => return writeln!(out, "\nIt can't be run: {}", error.message()),
    };
    writeln!(out, "\nMemory on a GPU")?;
    let weights = graph.weights_bytes();
    writeln!(out, "  {:16}  {:>12}", "weights", readable(weights))?;
    if header
        .tensors
        .iter()
        .any(|it| [0, 1, 30].contains(&it.ggml_type))
    {
        for name in ["q8_0", "q4_0"] {
            let rounded = Format::named(name).map(|format| graph.clone().quantized(format));
            if let Some(Ok(rounded)) = rounded
                && rounded.weights_bytes() < weights
            {
                let label = format!("  as {name}");
                writeln!(
                    out,
                    "  {label:16}  {:>12}",
                    readable(rounded.weights_bytes())
                )?;
            }
        }
    }
    let mut context = 2048;
    loop {
        let tokens = context.min(graph.longest_context);
        // As the cache is by default, in f16.
        let bytes = graph.kv.token_bytes(2).saturating_mul(tokens.into());
        writeln!(
            out,
            "  {:16}  {:>12}",
            format!("{tokens} tokens"),
            readable(bytes)
        )?;
        if tokens == graph.longest_context {
            return Ok(());
        }
        context = context.saturating_mul(4);
    }
}

fn show_types(tensors: &[TensorInfo], out: &mut String) -> std::fmt::Result {
    let mut types: BTreeMap<u32, (u64, u64, u64)> = BTreeMap::new();
    for tensor in tensors {
        let (count, values, bytes) = types.entry(tensor.ggml_type).or_default();
        let of_tensor = tensor
            .dims
            .iter()
            .fold(1_u64, |product, dim| product.saturating_mul(*dim));
        *count = count.saturating_add(1);
        *values = values.saturating_add(of_tensor);
        *bytes = bytes.saturating_add(tensor.bytes);
    }
    writeln!(
        out,
        "\nTypes      tensors        values  bits/value        bytes"
    )?;
    for (number, (count, values, bytes)) in types {
        #[allow(clippy::cast_precision_loss, reason = "two decimals are shown")]
        let bits = 8.0 * bytes as f64 / values as f64;
        let name = type_name(number).unwrap_or("?");
        writeln!(
            out,
            "  {name:8} {count:7} {values:13} {bits:11.2} {:>12}",
            readable(bytes)
        )?;
    }
    Ok(())
}

fn show_manifest(path: &Path, manifest: &Manifest, out: &mut String) -> std::fmt::Result {
    writeln!(
        out,
        "{}: shards of {:?}, {} ({} bytes)\nsha256 {}\n",
        path.display(),
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
