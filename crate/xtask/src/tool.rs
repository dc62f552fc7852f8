//! Running other programs.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::outcome::{Explain, Failure, Result};

/// A program about to run, and its command line as a person would type it.
pub(crate) struct Tool {
    command: Command,
    shown: String,
}

impl Tool {
    /// `program`, found on PATH.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref();
        Self {
            command: Command::new(program),
            shown: program.to_string_lossy().into_owned(),
        }
    }

    /// The cargo that runs this tool.
    pub(crate) fn cargo() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        Self {
            command: Command::new(cargo),
            shown: "cargo".to_owned(),
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        let _ = write!(self.shown, " {}", arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// The folder to run in.
    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// The command line.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Runs with this terminal; a non-zero exit is a failure.
    pub(crate) fn run(mut self) -> Result<()> {
        let status = self
            .command
            .status()
            .explain(|| format!("cannot start `{}`", self.shown))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "`{}` ended with {status}; its output above says why",
            self.shown
        )))
    }

    /// Runs quietly; its standard output, or what it wrote to standard error as the failure.
    pub(crate) fn text(mut self) -> Result<String> {
        let output = self
            .command
            .output()
            .explain(|| format!("cannot start `{}`", self.shown))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!(
            "`{}` ended with {}:\n{}",
            self.shown,
            output.status,
            said.trim_end()
        )))
    }

    /// Runs and gives each line of standard output to `on_line` as it comes; says whether it exited with zero.
    pub(crate) fn lines(mut self, mut on_line: impl FnMut(&str)) -> Result<bool> {
        let mut child = self.spawn_piped()?;
        let stdout = child.stdout.take();
        for line in stdout
            .into_iter()
            .flat_map(|out| BufReader::new(out).split(b'\n'))
        {
            let line = line.explain(|| format!("cannot read the output of `{}`", self.shown))?;
            on_line(String::from_utf8_lossy(&line).trim_end_matches('\r'));
        }
        let status = child.wait().explain(|| format!("lost `{}`", self.shown))?;
        Ok(status.success())
    }

    /// Starts with standard output as a pipe and standard error as this terminal.
    pub(crate) fn spawn_piped(&mut self) -> Result<Child> {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .explain(|| format!("cannot start `{}`", self.shown))
    }

    /// Starts without waiting, with no input or output: for a browser.
    pub(crate) fn detach(mut self) -> Result<()> {
        self.command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(drop)
            .explain(|| format!("cannot start `{}`", self.shown))
    }
}
