//! `cargo xtask`: builds, serves, checks and tests Puna. Development only; nothing here is shipped.
//!
//! One file a noun. Every failure says what to do about it, every server binds to loopback, and work whose
//! inputs have not changed is not done again (`stamp`).

mod args;
mod bench;
mod check;
mod codegen;
mod demo;
mod http;
mod model;
mod node;
mod outcome;
mod prerequisite;
mod project;
mod stamp;
mod stems;
mod test;
mod tokenizers;
mod tool;
mod wasm;
mod www;

use std::process::ExitCode;

use args::Args;
use outcome::{Failure, Result};

const USAGE: &str = "\
usage: cargo xtask COMMAND

  demo [--model FILE_OR_URL] [--port N] [--no-open]
                        build everything, fetch the model, serve the page in which it chats
  test [--full] [--only STAGE]
                        set up what tests need and run all of them; --full adds the long cases;
                        STAGE is check, native, swiftshader, typescript, package, server, chromium or firefox
  bench [OPTION]...     measure Puna without a GPU beside its peers; bench --help has the options
  check                 formatting, clippy for native and wasm32, kernel stems, generated code, longest files
  wasm [--dev]          build the wasm and its JS by wasm-pack.toml, then weigh it
  model [--all | NAME...]  fetch the default model, all or some of those that tests have, into models/ and verify them
  tokenizers            fetch the published tokenizers that tests read, and verify them
  codegen               write the TypeScript that is made from Rust";

fn main() -> ExitCode {
    match command(Args::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn command(mut args: Args) -> Result<()> {
    let name = args.next_word().unwrap_or_default();
    match name.as_str() {
        "demo" => demo::run(&demo::Options::from_args(args)?),
        "test" => test::run(&test::Options::from_args(args)?),
        "bench" => bench::run(args),
        "check" => {
            args.finish()?;
            check::run()
        }
        "wasm" => {
            let dev = args.flag("--dev");
            args.finish()?;
            wasm::run(dev)
        }
        "model" => {
            let all = args.flag("--all");
            let mut wanted: Vec<_> = if all {
                model::all().iter().collect()
            } else {
                Vec::new()
            };
            while let Some(name) = args.next_word() {
                wanted.push(model::named(&name)?);
            }
            args.finish()?;
            if wanted.is_empty() {
                return model::fetch_default().map(|path| println!("{}", path.display()));
            }
            wanted
                .into_iter()
                .try_for_each(|model| model.fetch().map(|path| println!("{}", path.display())))
        }
        "tokenizers" => {
            args.finish()?;
            tokenizers::fetch().map(|path| println!("{}", path.display()))
        }
        "codegen" => {
            args.finish()?;
            codegen::write()
        }
        "" | "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(Failure::new(format!("no command `{other}`\n\n{USAGE}"))),
    }
}
