//! How many tests passed and failed, read from what the test tools print.

/// What a suite did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) passed: usize,
    pub(super) failed: usize,
    /// Left out by the suite itself, with its reason in the source.
    pub(super) ignored: usize,
    /// Names or messages of what failed.
    pub(super) failures: Vec<String>,
}

impl Counts {
    /// Passed ones by number, failed ones by name.
    pub(super) fn of(passed: usize, failures: Vec<String>) -> Self {
        Self {
            passed,
            failed: failures.len(),
            ignored: 0,
            failures,
        }
    }

    /// A suite that could not run.
    pub(super) fn broken(why: String) -> Self {
        Self::of(0, vec![why])
    }

    /// A suite that ended badly or ran nothing has failed, whatever it counted.
    pub(super) fn settle(mut self, exited_well: bool, what: &str) -> Self {
        if self.failed == 0 && !exited_well {
            self.fail(format!(
                "{what} ended with an error; its output above says why"
            ));
        } else if self.failed == 0 && self.passed == 0 {
            self.fail(format!("{what} ran no test at all"));
        }
        self
    }

    fn fail(&mut self, why: String) {
        self.failed += 1;
        self.failures.push(why);
    }

    /// Reads a line of libtest: the closing line of a binary, or a test that failed.
    pub(super) fn read_libtest(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.passed += before(rest, " passed");
            self.failed += before(rest, " failed");
            self.ignored += before(rest, " ignored");
        } else if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        }
    }

    /// Reads a line of Node's test runner (`# pass 3`, `ℹ pass 3`) or of vitest (`Tests  3 passed | 1 failed (4)`).
    pub(super) fn read_node(&mut self, line: &str) {
        let line = &without_colours(line);
        let line = line.trim();
        if let Some(tests) = line.strip_prefix("Tests ") {
            self.passed += before(tests, " passed");
            self.failed += before(tests, " failed");
            self.ignored += before(tests, " skipped");
            return;
        }
        let mut words = line.split_whitespace();
        let (mark, what, number) = (words.next(), words.next(), words.next());
        let (Some("#" | "\u{2139}"), Some(what), Some(Ok(number))) =
            (mark, what, number.map(str::parse::<usize>))
        else {
            return;
        };
        match what {
            "pass" => self.passed += number,
            "fail" | "cancelled" => self.failed += number,
            "skipped" | "todo" => self.ignored += number,
            _ => {}
        }
    }
}

/// The number in front of `word`.
fn before(text: &str, word: &str) -> usize {
    let number = text
        .split_once(word)
        .and_then(|(front, _)| front.rsplit(|c: char| !c.is_ascii_digit()).next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The line without terminal colours.
fn without_colours(line: &str) -> String {
    let mut text = String::new();
    let mut parts = line.split("\u{1b}[");
    text.push_str(parts.next().unwrap_or_default());
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_is_summed_over_binaries() {
        let mut counts = Counts::default();
        for line in [
            "test a::b ... ok",
            "test a::c ... FAILED",
            "test result: FAILED. 12 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
        ] {
            counts.read_libtest(line);
        }
        let expected = Counts {
            passed: 15,
            failed: 1,
            ignored: 2,
            failures: vec!["a::c".to_owned()],
        };
        assert_eq!(counts, expected, "two binaries");
    }

    #[test]
    fn node_and_vitest_are_read_with_their_colours() {
        for lines in [
            ["# pass 4", "# fail 1", "# skipped 0"].as_slice(),
            &["\u{2139} pass 4", "\u{2139} fail 1"],
            &[
                "\u{1b}[34m\u{2139} pass 4\u{1b}[39m",
                "\u{1b}[34m\u{2139} fail 1\u{1b}[39m",
            ],
            &[
                "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[1m\u{1b}[31m1 failed\u{1b}[39m\u{1b}[22m | \u{1b}[32m4 passed\u{1b}[39m (5)",
            ],
        ] {
            let mut counts = Counts::default();
            for line in lines {
                counts.read_node(line);
            }
            assert_eq!((counts.passed, counts.failed), (4, 1), "{lines:?}");
        }
    }

    #[test]
    fn suite_that_ran_nothing_or_crashed_has_failed() {
        assert_eq!(Counts::default().settle(true, "it").failed, 1, "no test");
        assert_eq!(
            Counts::of(3, Vec::new()).settle(false, "it").failed,
            1,
            "a crash after three tests"
        );
        assert_eq!(
            Counts::of(3, Vec::new()).settle(true, "it").failed,
            0,
            "all is well"
        );
    }
}
