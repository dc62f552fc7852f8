//! `cargo xtask test`: everything that can be tested on a machine without a GPU, on every adapter it must run on.
//!
//! A stage that cannot run is a failure, never a skip; so is one that ran nothing.

mod browser;
mod counts;
mod native;
mod packages;
mod report;
pub(crate) mod system;
mod typescript;

use std::panic::resume_unwind;
use std::time::Instant;

use crate::args::Args;
use crate::check;
use crate::model;
use crate::node;
use crate::outcome::{Failure, Result};
use crate::prerequisite;
use crate::project::root;
use crate::tokenizers;
use crate::wasm;
use crate::www;
use counts::Counts;
use report::Report;
use system::{Needs, System};

/// What the command line asks for.
pub(crate) struct Options {
    /// Also the cases that take minutes.
    full: bool,
    /// One stage instead of all.
    only: Option<Stage>,
}

/// A part of the suite, in the order in which they run: what fails fastest comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Check,
    Native,
    Swiftshader,
    Typescript,
    Package,
    Server,
    Chromium,
    Firefox,
    /// Firefox as it comes, without WebGPU.
    FirefoxDefault,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::Check,
        Self::Native,
        Self::Swiftshader,
        Self::Typescript,
        Self::Package,
        Self::Server,
        Self::Chromium,
        Self::Firefox,
        Self::FirefoxDefault,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Native => "native",
            Self::Swiftshader => "swiftshader",
            Self::Typescript => "typescript",
            Self::Package => "package",
            Self::Server => "server",
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::FirefoxDefault => "firefox-default",
        }
    }

    /// Whether the stage looks at the real model.
    fn needs_model(self) -> bool {
        self == Self::Native || self.is_browser()
    }

    fn is_browser(self) -> bool {
        matches!(self, Self::Chromium | Self::Firefox | Self::FirefoxDefault)
    }
}

impl Options {
    /// Reads the options of `test`.
    pub(crate) fn from_args(mut args: Args) -> Result<Self> {
        let full = args.flag("--full");
        let only = match args.value("--only")? {
            None => None,
            Some(name) => Some(stage(&name)?),
        };
        args.finish()?;
        Ok(Self { full, only })
    }
}

fn stage(name: &str) -> Result<Stage> {
    Stage::ALL
        .into_iter()
        .find(|stage| stage.name() == name)
        .ok_or_else(|| {
            let names = Stage::ALL.map(Stage::name).join(", ");
            Failure::new(format!("--only {name}: no such stage; there are {names}"))
        })
}

/// Sets up what is missing, runs the stages, prints the counts; fails unless all passed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let stages = match options.only {
        Some(stage) => vec![stage],
        None => Stage::ALL.to_vec(),
    };
    let start = Instant::now();
    let system = set_up(&stages, options.full)?;
    let mut report = Report::new();
    let (browsers, others): (Vec<_>, Vec<_>) =
        stages.into_iter().partition(|stage| stage.is_browser());
    let begin = |name: &str| println!("\n== {name} (after {} s) ==", start.elapsed().as_secs());
    for stage in others {
        begin(stage.name());
        if let Err(failure) = run_stage(stage, options, &system, &mut report) {
            broken(stage, &failure, &mut report);
        }
    }
    if !browsers.is_empty() {
        let names: Vec<_> = browsers.iter().map(|stage| stage.name()).collect();
        begin(&names.join(", "));
        run_browsers(&browsers, options, &system, &mut report);
    }
    println!("\nafter {} s:", start.elapsed().as_secs());
    report.print()
}

fn broken(stage: Stage, failure: &Failure, report: &mut Report) {
    println!("{}: {failure}", stage.name());
    report.add(stage.name(), "-", Counts::broken(failure.to_string()));
}

/// Runs the suites of the browsers, Chromium's beside Firefox's: most of a suite's time is one thread's.
fn run_browsers(stages: &[Stage], options: &Options, system: &System, report: &mut Report) {
    let prepared = www::build()
        .and_then(|()| wasm::run(false))
        .and_then(|()| browser::shards());
    if let Err(failure) = prepared {
        for &stage in stages {
            broken(stage, &failure, report);
        }
        return;
    }
    let (chromium, firefox): (Vec<_>, Vec<_>) =
        stages.iter().partition(|stage| **stage == Stage::Chromium);
    let suites = |stages: Vec<Stage>| {
        let suite = |stage: Stage| (stage, browser::suite(stage.name(), system, options.full));
        stages.into_iter().map(suite).collect::<Vec<_>>()
    };
    let outcomes = std::thread::scope(|scope| {
        let firefox = scope.spawn(|| suites(firefox));
        let mut outcomes = suites(chromium);
        outcomes.extend(firefox.join().unwrap_or_else(|panic| resume_unwind(panic)));
        outcomes
    });
    for (stage, outcome) in outcomes {
        match outcome {
            Ok(it) => report.add(&it.browser, &it.adapter, it.counts),
            Err(failure) => broken(stage, &failure, report),
        }
    }
}

fn set_up(stages: &[Stage], full: bool) -> Result<System> {
    let needs_model = stages.iter().any(|stage| stage.needs_model());
    prerequisite::check(needs_model && !model::default_is_verified())?;
    prerequisite::wasm_target()?;
    let system = System::set_up(Needs {
        lavapipe: stages
            .iter()
            .any(|stage| matches!(stage, Stage::Native | Stage::Firefox)),
        chromium: stages
            .iter()
            .any(|stage| matches!(stage, Stage::Swiftshader | Stage::Chromium)),
        firefox: stages
            .iter()
            .any(|stage| matches!(stage, Stage::Firefox | Stage::FirefoxDefault)),
    })?;
    if needs_model {
        model::fetch_default()?;
    }
    if needs_model && full {
        for model in model::all() {
            model.fetch()?;
        }
    }
    if stages.contains(&Stage::Native) {
        tokenizers::fetch()?;
    }
    node::install(&www::folder())?;
    if stages.iter().any(|stage| stage.is_browser()) {
        node::install(&root().join("tests"))?;
    }
    Ok(system)
}

fn run_stage(stage: Stage, options: &Options, system: &System, report: &mut Report) -> Result<()> {
    match stage {
        Stage::Check => {
            let check::Report { passed, failures } = check::report()?;
            report.add("check", "-", Counts::of(passed, failures));
        }
        Stage::Native => report.add(
            "cargo test",
            "lavapipe",
            native::everything(system.lavapipe()?, options.full)?,
        ),
        Stage::Swiftshader => {
            report.add(
                "cargo test, GPU crates",
                "SwiftShader",
                native::gpu(system.swiftshader()?, options.full)?,
            );
        }
        Stage::Typescript => {
            // The types of the wasm are part of what is checked.
            wasm::engine()?;
            for (script, counts) in typescript::run()? {
                report.add(&format!("www: {script}"), "-", counts);
            }
        }
        Stage::Package => {
            www::build()?;
            wasm::run(false)?;
            wasm::weigh_package(&www::dist())?;
            report.add(
                "package built, within its budget",
                "-",
                Counts::of(1, Vec::new()),
            );
        }
        Stage::Server => report.add("test server, bench", "-", browser::server()?),
        // Together, by `run_browsers`.
        Stage::Chromium | Stage::Firefox | Stage::FirefoxDefault => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stage_is_found_by_its_name() {
        for expected in Stage::ALL {
            assert_eq!(
                stage(expected.name()).expect("it is listed"),
                expected,
                "{}",
                expected.name()
            );
        }
        let failure = stage("nothing").unwrap_err().to_string();
        assert!(
            failure.contains("firefox"),
            "the stages are listed: {failure}"
        );
    }
}
