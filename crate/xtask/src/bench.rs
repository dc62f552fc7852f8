//! `cargo xtask bench`: makes what the subjects of `tests/bench` need, then runs its driver, which reads the options.

use std::path::{Path, PathBuf};

use crate::args::Args;
use crate::model;
use crate::node;
use crate::outcome::{Explain, Failure, Result};
use crate::prerequisite;
use crate::project::{root, shown};
use crate::stamp::Inputs;
use crate::test::system::{Needs, System};
use crate::tool::Tool;
use crate::wasm;
use crate::www;

/// Something that has to be there before a subject can run, as the driver names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// The model.
    Gguf,
    /// The model as transformers.js loads it.
    Onnx,
    /// Puna's npm package.
    Package,
    /// The module that sums bytes.
    Sum,
    /// Puna's own executor as a program.
    Native,
    Chromium,
    Firefox,
    /// A software adapter for Firefox.
    Lavapipe,
}

impl Need {
    fn from_word(word: &str) -> Result<Self> {
        match word {
            "gguf" => Ok(Self::Gguf),
            "onnx" => Ok(Self::Onnx),
            "package" => Ok(Self::Package),
            "sum" => Ok(Self::Sum),
            "native" => Ok(Self::Native),
            "chromium" => Ok(Self::Chromium),
            "firefox" => Ok(Self::Firefox),
            "lavapipe" => Ok(Self::Lavapipe),
            other => Err(Failure::new(format!(
                "tests/bench/subject.mjs names a need `{other}` that cargo xtask bench does not know"
            ))),
        }
    }
}

/// Sets up what the chosen subjects need, and measures them.
pub(crate) fn run(args: Args) -> Result<()> {
    let words: Vec<String> = args.rest().collect();
    if words.iter().any(|word| word == "--help") {
        return driver().arg("--help").run();
    }
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err(Failure::new(
            "the bench reads CPU time and memory from /proc and has llama.cpp for Linux on x86-64 alone: run it there",
        ));
    }
    prerequisite::check(!model::default_is_verified())?;
    // A wrong option should be told before minutes of building.
    let needs = needs(&words)?;
    let system = System::set_up(Needs {
        lavapipe: needs.contains(&Need::Lavapipe),
        chromium: needs.contains(&Need::Chromium),
        firefox: needs.contains(&Need::Firefox),
    })?;
    node::install(&root().join("tests"))?;
    node::install(&folder())?;
    if let Some(name) = synthetic(&words) {
        synthesize(name)?;
    }
    let mut tool = driver().args(&words);
    for need in needs {
        tool = match need {
            Need::Gguf => {
                model::fetch_default()?;
                tool
            }
            Need::Onnx => {
                // The driver reports those who need it as failed, and measures the others.
                if let Err(failure) = onnx() {
                    eprintln!("no ONNX form of the model: {failure}");
                }
                tool
            }
            Need::Package => {
                www::build()?;
                tool
            }
            Need::Sum => {
                wasm::modules()?;
                tool
            }
            Need::Native => tool.arg("--native-program").arg(native()?),
            Need::Chromium => tool.arg("--program").arg(system.chromium()?),
            Need::Firefox => tool.arg("--program").arg(system.firefox()?),
            Need::Lavapipe => system.offer_lavapipe(tool)?,
        };
    }
    tool.run()
}

/// The synthetic model that is asked for.
fn synthetic(words: &[String]) -> Option<&str> {
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word == "--synthetic" {
            return rest.next().map(String::as_str);
        }
        if let Some(name) = word.strip_prefix("--synthetic=") {
            return Some(name);
        }
    }
    None
}

/// Makes a synthetic model where the driver looks for it, once.
fn synthesize(name: &str) -> Result<()> {
    let file = root()
        .join("target/bench")
        .join(format!("{}.gguf", name.replace(':', "-")));
    if file.exists() {
        return Ok(());
    }
    let partial = file.with_extension("partial");
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).explain(|| format!("making {}", shown(folder)))?;
    }
    Tool::cargo()
        .args(["run", "--quiet", "--release", "--package", "puna-cli", "--"])
        .args(["synthesize", name])
        .arg(&partial)
        .dir(&root())
        .run()?;
    std::fs::rename(&partial, &file).explain(|| format!("naming {}", shown(&file)))
}

fn folder() -> PathBuf {
    root().join("tests/bench")
}

/// It runs where the command was typed, for paths in its options.
fn driver() -> Tool {
    Tool::new("node").arg(folder().join("run.mjs"))
}

/// What the subjects of these options need, each thing once.
fn needs(words: &[String]) -> Result<Vec<Need>> {
    let said = driver().args(words).arg("--needs").text()?;
    said.lines().map(Need::from_word).collect()
}

/// Writes the model as transformers.js loads it, by a script of Python with packages in a folder of their own.
fn onnx() -> Result<()> {
    let gguf = model::fetch_default()?;
    let requirements = folder().join("to_onnx.requirements.txt");
    let script = folder().join("to_onnx.py");
    let out = root().join("target/bench");
    let packages = out.join("python");
    let python = prerequisite::python()?;

    let stamp = Inputs::new(&["pip install", python])
        .path(&requirements, &[])?
        .stamp("bench-python");
    if !stamp.is_fresh(std::slice::from_ref(&packages)) {
        println!("Python packages of {}", shown(&requirements));
        stamp.clear();
        clear(&packages)?;
        Tool::new(python)
            .args(["-m", "pip", "install", "--quiet", "--only-binary", ":all:"])
            .args([
                "--disable-pip-version-check",
                "--root-user-action",
                "ignore",
                "--target",
            ])
            .arg(&packages)
            .arg("-r")
            .arg(&requirements)
            .run()
            .explain(|| "pip could not install them (is the network there?)")?;
        stamp.set()?;
    }

    let model = out.join("onnx");
    let stamp = Inputs::new(&["to_onnx"])
        .path(&script, &[])?
        .path(&requirements, &[])?
        .path(&gguf, &[])?
        .stamp("bench-onnx");
    if !stamp.is_fresh(&[model.join("onnx/model_quantized.onnx")]) {
        println!("writing {}", shown(&model));
        stamp.clear();
        clear(&model)?;
        Tool::new(python)
            .arg(&script)
            .arg(&gguf)
            .arg(&model)
            .env("PYTHONPATH", &packages)
            .run()?;
        stamp.set()?;
    }
    Ok(())
}

fn clear(path: &Path) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    std::fs::remove_dir_all(path).explain(|| format!("cannot remove {}", shown(path)))
}

/// Builds Puna's own executor as a program, and says where it is.
fn native() -> Result<PathBuf> {
    let said = Tool::cargo()
        .args(["build", "--quiet", "--release"])
        .args(["--package", "puna-cpu", "--example", "bench"])
        .args(["--message-format", "json-render-diagnostics"])
        .dir(&root())
        .text()?;
    executable(&said).ok_or_else(|| Failure::new("cargo did not say where the built program is"))
}

/// The program of the last artifact in cargo's messages that has one.
fn executable(messages: &str) -> Option<PathBuf> {
    let path = |line: &str| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message.get("executable")?.as_str()?))
    };
    messages.lines().filter_map(path).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synthetic_model_is_found_among_the_options() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(synthetic(&words("--gpu --rounds 1")), None);
        assert_eq!(synthetic(&words("--gpu --synthetic a:b")), Some("a:b"));
        assert_eq!(synthetic(&words("--synthetic=a:b --gpu")), Some("a:b"));
        assert_eq!(synthetic(&words("--synthetic")), None);
    }

    #[test]
    fn needs_are_found_by_their_words() {
        let found = Need::from_word("onnx").expect("it is known");
        assert_eq!(found, Need::Onnx, "onnx");
        let failure = Need::from_word("coffee").unwrap_err().to_string();
        assert!(failure.contains("coffee"), "{failure}");
    }

    #[test]
    fn program_is_read_from_what_cargo_says() {
        let said = "\
            {\"reason\":\"compiler-artifact\",\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/x/bench\"}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(
            executable(said),
            Some(PathBuf::from("/x/bench")),
            "the only one"
        );
        assert_eq!(executable("no json"), None, "nothing was built");
    }
}
