//! The command line: words and `--name value` options, unknown ones refused.

use std::collections::VecDeque;

use crate::outcome::{Failure, Result};

/// What is left of the command line.
pub(crate) struct Args(VecDeque<String>);

impl Args {
    /// The command line without the program's name.
    pub(crate) fn from_env() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    #[cfg(test)]
    pub(crate) fn of(words: &[&str]) -> Self {
        Self(words.iter().map(|&word| word.to_owned()).collect())
    }

    /// The next word, whatever it is.
    pub(crate) fn next_word(&mut self) -> Option<String> {
        self.0.pop_front()
    }

    /// Whether `name` is given; takes it out.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let at = self.0.iter().position(|word| word == name);
        at.is_some_and(|at| self.0.remove(at).is_some())
    }

    /// The value of `--name VALUE` or `--name=VALUE`; takes it out.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>> {
        let prefix = format!("{name}=");
        if let Some(at) = self.0.iter().position(|word| word.starts_with(&prefix)) {
            let word = self.0.remove(at).unwrap_or_default();
            return Ok(word.strip_prefix(&prefix).map(str::to_owned));
        }
        let Some(at) = self.0.iter().position(|word| word == name) else {
            return Ok(None);
        };
        self.0.remove(at);
        match self.0.remove(at) {
            Some(value) if !value.starts_with("--") => Ok(Some(value)),
            _ => Err(Failure::new(format!("{name} needs a value: {name} VALUE"))),
        }
    }

    /// All that is left, for a program that reads it itself.
    pub(crate) fn rest(self) -> impl Iterator<Item = String> {
        self.0.into_iter()
    }

    /// Refuses what nobody took.
    pub(crate) fn finish(self) -> Result<()> {
        match self.0.front() {
            None => Ok(()),
            Some(word) => Err(Failure::new(format!(
                "`{word}` is not an option of this command; `cargo xtask help` lists them"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    #[test]
    fn values_are_taken_in_both_forms() {
        let mut args = Args::of(&["--port", "80", "--model=a b"]);
        assert_eq!(
            args.value("--port").unwrap().as_deref(),
            Some("80"),
            "two words"
        );
        assert_eq!(
            args.value("--model").unwrap().as_deref(),
            Some("a b"),
            "one word"
        );
        args.finish().expect("nothing is left");
    }

    #[test]
    fn missing_value_and_unknown_option_are_refused() {
        let mut args = Args::of(&["--port", "--no-open"]);
        let failure = args.value("--port").unwrap_err().to_string();
        assert!(failure.contains("--port VALUE"), "{failure}");
        let failure = Args::of(&["--wrong"]).finish().unwrap_err().to_string();
        assert!(failure.contains("--wrong"), "{failure}");
    }
}
