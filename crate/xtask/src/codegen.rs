//! TypeScript that is made from Rust: the closed list of error codes.

use std::fs;
use std::path::PathBuf;

use crate::outcome::{Explain, Failure, Result};
use crate::project::{root, shown};

// The file alone and not the crate: `cargo xtask demo` would else compile the tokenizer and the template engine
// for this machine before it could say its first word.
#[path = "../../puna-core/src/error.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the whole file is taken, for one list in it"
)]
mod error;

use error::ErrorCode;

/// Writes every generated file.
pub(crate) fn write() -> Result<()> {
    let path = codes_path();
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).explain(|| format!("cannot make {}", shown(folder)))?;
    }
    fs::write(&path, codes()).explain(|| format!("cannot write {}", shown(&path)))?;
    println!("wrote {}", shown(&path));
    Ok(())
}

/// Fails when a committed file is not what would be written now.
pub(crate) fn verify() -> Result<()> {
    let path = codes_path();
    let committed = fs::read_to_string(&path)
        .explain(|| format!("cannot read {} (run `cargo xtask codegen`)", shown(&path)))?;
    if committed.replace("\r\n", "\n") == codes() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} is not what Rust's ErrorCode says: run `cargo xtask codegen` and commit the file",
        shown(&path)
    )))
}

fn codes_path() -> PathBuf {
    root().join("www/src/generated/codes.ts")
}

fn codes() -> String {
    let mut text = "\
// Written by `cargo xtask codegen` from crate/puna-core/src/error.rs. Change it there.

/** Every error code, in the order in which they are documented. */
export const errorCodes = [
"
    .to_owned();
    for code in ErrorCode::ALL {
        text.push_str(&format!(
            "  /** {} */\n  \"{}\",\n",
            code.doc(),
            code.as_str()
        ));
    }
    text.push_str(
        "\
] as const;

/** What went wrong, as a stable name: the thing to branch on. */
export type ErrorCode = (typeof errorCodes)[number];
",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_written_once() {
        let text = codes();
        for code in ErrorCode::ALL {
            let line = format!("  \"{}\",\n", code.as_str());
            assert_eq!(text.matches(&line).count(), 1, "{}", code.as_str());
        }
    }
}
