//! Which way each projection goes.

use std::collections::HashMap;

use puna_core::quant::Format;

use crate::shader::variant::Precision;
use crate::split::{Split, Width};
use crate::way::Way;

/// What a way is chosen for: projections of the same job take the same.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Stem of the kernel.
    pub kernel: &'static str,
    /// Format of the weights.
    pub format: &'static Format,
    /// R.
    pub rows: usize,
    /// K.
    pub cols: usize,
    /// How many tokens at a time.
    pub width: Width,
}

impl std::fmt::Display for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            kernel,
            format,
            rows,
            cols,
            width,
        } = self;
        write!(f, "{kernel} {} {rows} {cols} {}", format.name, width.name())
    }
}

/// The ways that were chosen; the first of [`Split::ways`] where none was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    by_job: HashMap<String, Way>,
    /// For every job: to test a way.
    all: Option<Way>,
}

impl Choices {
    /// One way for every job.
    #[must_use]
    pub fn all(way: Way) -> Self {
        Self {
            all: Some(way),
            ..Self::default()
        }
    }

    /// The way of a job.
    #[must_use]
    pub fn way(&self, job: &Job, split: Split, precision: Precision) -> Way {
        let chosen = self
            .all
            .or_else(|| self.by_job.get(&job.to_string()).copied());
        chosen.unwrap_or_else(|| split.default_way(job.width, precision))
    }

    /// Chooses a way for a job.
    pub fn choose(&mut self, job: &Job, way: Way) {
        self.by_job.insert(job.to_string(), way);
    }
}
