//! The suites that run on Node: the test server's own tests, and the built package in a browser.

use serde_json::Value;

use super::counts::Counts;
use super::system::System;
use crate::model;
use crate::outcome::{Failure, Result};
use crate::project::root;
use crate::stamp::Inputs;
use crate::tool::Tool;

/// The line of `tests/browser/run.mjs` that holds its result as JSON.
const RESULT: &str = "result: ";

/// What a browser's suite did, and on what by its own account.
pub(super) struct Outcome {
    pub(super) browser: String,
    pub(super) adapter: String,
    pub(super) counts: Counts,
}

/// The tests of the static server that the browser suite relies on, and of the bench's arithmetic.
pub(super) fn server() -> Result<Counts> {
    let mut counts = Counts::default();
    let well = Tool::new("node")
        .args([
            "--test",
            "--test-reporter=tap",
            "tests/server/test.mjs",
            "tests/bench/test.mjs",
        ])
        .dir(&root())
        .lines(|line| {
            println!("{line}");
            counts.read_node(line);
        })?;
    Ok(counts.settle(well, "the test of the test server and the bench"))
}

/// Makes the sharded form of the models that the suite loads.
pub(super) fn shards() -> Result<()> {
    let models = [
        (
            "tiny",
            root().join("tests/golden/llama-256/llama-256-Q4_1.gguf"),
        ),
        ("real", model::default_path()),
    ];
    for (name, file) in models {
        let out = root().join("tests/out/shards").join(name);
        let stamp = Inputs::new(&["puna shard"])
            .path(&root().join("crate/puna-cli"), &[])?
            .path(&root().join("crate/puna-core/src/weights"), &[])?
            .stamp(&format!("shards-{name}"));
        if stamp.is_fresh(&[out.join("manifest.json")]) {
            continue;
        }
        stamp.clear();
        let _ = std::fs::remove_dir_all(&out);
        Tool::cargo()
            .args([
                "run",
                "--quiet",
                "--package",
                "puna-cli",
                "--bin",
                "puna",
                "--",
                "shard",
            ])
            .arg(&file)
            .arg("-o")
            .arg(&out)
            .dir(&root())
            .run()?;
        stamp.set()?;
    }
    Ok(())
}

/// The browser suite in `stage` (`chromium` or `firefox`, with WebGPU, or `firefox-default`, as it comes).
pub(super) fn suite(stage: &str, system: &System, full: bool) -> Result<Outcome> {
    let (name, program, adapter) = match stage {
        "chromium" => ("chromium", system.chromium()?, Some(system.swiftshader()?)),
        "firefox" => ("firefox", system.firefox()?, Some(system.lavapipe()?)),
        _ => ("firefox", system.firefox()?, None),
    };
    let mut tool = Tool::new("node")
        .args(["tests/browser/run.mjs", "--browser", name, "--adapter"])
        .arg(adapter.map_or("none", |adapter| adapter.name))
        .arg("--program")
        .arg(program)
        .dir(&root());
    if ("firefox", true) == (name, adapter.is_some()) {
        tool = system.offer_lavapipe(tool)?;
    }
    if full {
        tool = tool.arg("--full");
    }
    let mut result = None;
    let well = tool.lines(|line| match line.strip_prefix(RESULT) {
        Some(json) => result = serde_json::from_str::<Value>(json).ok(),
        // Beside another suite's lines.
        None => println!("{stage:15} {line}"),
    })?;
    let result = result.ok_or_else(|| {
        Failure::new(format!(
            "the suite of {stage} ended without a result; its output is above"
        ))
    })?;
    Ok(outcome(&result, well))
}

fn outcome(result: &Value, well: bool) -> Outcome {
    let text = |key: &str| {
        result
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    let failures = result.get("failures").and_then(Value::as_array);
    let failures: Vec<String> = failures
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    let passed = result.get("passed").and_then(Value::as_u64).unwrap_or(0);
    let counts = Counts::of(usize::try_from(passed).unwrap_or(0), failures);
    let browser = text("browser");
    Outcome {
        counts: counts.settle(well, &format!("the suite in {browser}")),
        browser,
        adapter: text("adapter"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_result_is_counted_and_a_bad_exit_is_a_failure() {
        let result = serde_json::json!({ "browser": "Chrome/1", "adapter": "x", "passed": 2, "failures": ["chat: a"] });
        let counts = outcome(&result, false).counts;
        assert_eq!((counts.passed, counts.failed), (2, 1), "as it said");
        let crashed = serde_json::json!({ "browser": "Chrome/1", "adapter": "x", "passed": 2, "failures": [] });
        assert_eq!(
            outcome(&crashed, false).counts.failed,
            1,
            "a crash after two tests"
        );
    }
}
