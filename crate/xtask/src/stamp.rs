//! Remembers what a step was made from, so that a second run skips it.
//!
//! A stamp is the SHA-256 of the contents of all inputs, kept under `target/xtask/` of this checkout. A step
//! is fresh when the hash is the same and each of its outputs is there.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::outcome::{Explain, Result};
use crate::project;

/// The identity of a step's inputs.
pub(crate) struct Inputs(Sha256);

impl Inputs {
    /// Nothing yet but the step's name and the settings that it depends on.
    pub(crate) fn new(settings: &[&str]) -> Self {
        let mut inputs = Self(Sha256::new());
        for text in settings {
            inputs.add(text.as_bytes());
        }
        inputs
    }

    /// Adds a file's or a folder's contents and names; one that is missing counts as missing.
    pub(crate) fn path(mut self, path: &Path, skip: &[&str]) -> Result<Self> {
        let files = if path.is_dir() {
            project::files_under(path, skip)?
        } else {
            vec![path.to_path_buf()]
        };
        for file in files {
            self.add(project::shown(&file).as_bytes());
            if file.is_file() {
                let contents =
                    fs::read(&file).explain(|| format!("cannot read {}", file.display()))?;
                self.add(&contents);
            }
        }
        Ok(self)
    }

    /// With the length in front, so that `ab` + `c` is not `a` + `bc`.
    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// The stamp of the step `name` with these inputs.
    pub(crate) fn stamp(self, name: &str) -> Stamp {
        Stamp {
            file: project::root()
                .join("target/xtask")
                .join(format!("{name}.stamp")),
            hash: hex(&self.0.finalize()),
        }
    }
}

/// A step's stamp as it should be when the step is done.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// Whether the step was done with these inputs and its outputs are there.
    pub(crate) fn is_fresh(&self, outputs: &[PathBuf]) -> bool {
        outputs.iter().all(|path| path.exists())
            && fs::read_to_string(&self.file).is_ok_and(|hash| hash == self.hash)
    }

    /// Forgets that the step was done; called before it starts, so that a half-done step is not taken for done.
    pub(crate) fn clear(&self) {
        let _ = fs::remove_file(&self.file);
    }

    /// Remembers that the step is done.
    pub(crate) fn set(&self) -> Result<()> {
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder).explain(|| format!("cannot make {}", folder.display()))?;
        }
        fs::write(&self.file, &self.hash)
            .explain(|| format!("cannot write {}", self.file.display()))
    }
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
