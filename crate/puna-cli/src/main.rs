//! The native command `puna`: look into model files, cut them into shards for a static host, make some for measuring.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod file;
mod front;
mod inspect;
mod model;
mod place;
mod shard;
mod supports;
mod synthesize;
mod web;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use puna_core::{Error, Result};

const HELP: &str = "\
puna: language models in a browser tab, and what they need on the way there

Usage: puna COMMAND ...

Commands:
  inspect FILE_OR_URL   say what a model file, a repository's folder or a shard manifest holds
  shard FILE -o DIR     cut a GGUF into shards that any static host can serve
  supports              say which architectures, types of weights and fields of requests Puna knows
  synthesize SHAPE:FORMAT FILE
                        make a model of a true shape with random weights, for measuring
  help [COMMAND]        this text, or a command's own

Options:
  -h, --help            this text, or a command's own
  -V, --version         the version
";

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let command = arguments.next();
    match run(
        command.as_ref().and_then(|name| name.to_str()),
        arguments.collect(),
    ) {
        Ok(text) => print(&text),
        Err(error) => {
            eprintln!("puna: {}", error.message());
            // As for most commands: 2 for a wrong command line, 1 for work that failed.
            ExitCode::from(if error.details().contains_key("usage") {
                2
            } else {
                1
            })
        }
    }
}

/// Runs a command and returns what it has to say.
fn run(command: Option<&str>, arguments: Vec<OsString>) -> Result<String> {
    match command {
        Some("inspect") => inspect::run(arguments),
        Some("shard") => shard::run(arguments),
        Some("supports") => match arguments.first().and_then(|name| name.to_str()) {
            None => Ok(supports::tables()),
            Some("-h" | "--help") => Ok(supports::HELP.to_owned()),
            Some(other) => Err(usage(format!(
                "unexpected argument {other:?}; see `puna supports --help`"
            ))),
        },
        Some("synthesize") => synthesize::run(arguments),
        Some("help") => match arguments.first().and_then(|name| name.to_str()) {
            Some("inspect") => Ok(inspect::HELP.to_owned()),
            Some("shard") => Ok(shard::HELP.to_owned()),
            Some("supports") => Ok(supports::HELP.to_owned()),
            Some("synthesize") => Ok(synthesize::help()),
            _ => Ok(HELP.to_owned()),
        },
        Some("-h" | "--help") => Ok(HELP.to_owned()),
        Some("-V" | "--version") => Ok(format!("puna {}\n", env!("CARGO_PKG_VERSION"))),
        Some(other) => Err(usage(format!(
            "there is no command {other:?}; `puna help` lists them"
        ))),
        None => Err(usage("which command? `puna help` lists them".to_owned())),
    }
}

/// Writes to the standard output. A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("puna: can't write to the standard output: {error}");
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}

/// A wrong command line.
fn usage(message: String) -> Error {
    Error::invalid_request("arguments", message).detail("usage", true)
}

/// A number of bytes as people read it.
fn readable(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
    let amount = bytes as f64;
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", amount / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", amount / 1_048_576.0),
        _ => format!("{:.2} GiB", amount / 1_073_741_824.0),
    }
}
