//! The table at the end: what ran where, what failed, and the one last line.

use super::counts::Counts;
use crate::outcome::Result;

/// A row a suite.
pub(super) struct Report {
    rows: Vec<Row>,
}

struct Row {
    suite: String,
    adapter: String,
    counts: Counts,
}

impl Report {
    /// No rows yet.
    pub(super) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds what a suite did on an adapter (`-` where it uses none).
    pub(super) fn add(&mut self, suite: &str, adapter: &str, counts: Counts) {
        self.rows.push(Row {
            suite: suite.to_owned(),
            adapter: adapter.to_owned(),
            counts,
        });
    }

    /// Prints the table, the failures and the last line; fails if a test did.
    pub(super) fn print(&self) -> Result<()> {
        println!();
        for row in &self.rows {
            for failure in &row.counts.failures {
                println!("FAILED  {} on {}: {failure}", row.suite, row.adapter);
            }
        }
        let wide = |get: fn(&Row) -> &str, least: usize| {
            self.rows
                .iter()
                .map(|row| get(row).chars().count())
                .fold(least, usize::max)
        };
        let (suite, adapter) = (wide(|row| &row.suite, 5), wide(|row| &row.adapter, 7));
        println!(
            "\n{:suite$}  {:adapter$}  {:>6}  {:>6}  {:>7}",
            "suite", "adapter", "passed", "failed", "ignored"
        );
        for row in &self.rows {
            let Counts {
                passed,
                failed,
                ignored,
                ..
            } = row.counts;
            println!(
                "{:suite$}  {:adapter$}  {passed:>6}  {failed:>6}  {ignored:>7}",
                row.suite, row.adapter
            );
        }
        let passed: usize = self.rows.iter().map(|row| row.counts.passed).sum();
        let failed: usize = self.rows.iter().map(|row| row.counts.failed).sum();
        println!();
        if failed > 0 {
            eprintln!("error: some tests failed; they are listed above the table");
        }
        println!("{passed} passed, {failed} failed");
        if failed == 0 && passed > 0 {
            return Ok(());
        }
        // The line above has to be the last one.
        std::process::exit(1);
    }
}
