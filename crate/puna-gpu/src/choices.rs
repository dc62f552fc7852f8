//! Which way each projection goes.

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

impl Job {
    /// The ways that it can go; see [`Split::ways`]. Inputs may be rounded to integers if `rounds`, but for the head: what it
    /// is off by nothing evens out.
    #[must_use]
    pub fn ways(&self, split: Split, precision: Precision, rounds: bool) -> Vec<Way> {
        split.ways(
            self.width,
            precision,
            rounds && self.format.integers && self.kernel != "head",
        )
    }
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
        let width = width.name();
        write!(f, "{kernel} {} {rows}x{cols} {width}", format.name)
    }
}

/// The ways that were chosen, by name; the first one that a job has where none was, or where it has none of that name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choices {
    /// In order of jobs.
    by_job: Vec<(String, String)>,
    /// For every job of a width: to test a way.
    all: Option<(Width, Way)>,
}

/// Longest text that is read: some hundred jobs.
const MOST_BYTES: usize = 64 << 10;

impl Choices {
    /// One way for every job of a width that has it.
    #[must_use]
    pub fn all(width: Width, way: Way) -> Self {
        Self {
            all: Some((width, way)),
            ..Self::default()
        }
    }

    /// What [`Self::to_text`] wrote. What makes no sense is passed over: it costs speed and nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = text.get(..MOST_BYTES).unwrap_or(text);
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        let mut choices = Self::default();
        for (job, way) in lines {
            choices.set(job, way);
        }
        choices
    }

    /// Where a job is, or would be.
    fn find(&self, job: &str) -> Result<usize, usize> {
        self.by_job.binary_search_by(|(of, _)| of.as_str().cmp(job))
    }

    fn get(&self, job: &Job) -> Option<&str> {
        let at = self.find(&job.to_string()).ok()?;
        self.by_job.get(at).map(|(_, way)| way.as_str())
    }

    fn set(&mut self, job: &str, way: &str) {
        let chosen = (job.to_owned(), way.to_owned());
        match self.find(job) {
            Ok(at) => self.by_job[at] = chosen,
            Err(at) => self.by_job.insert(at, chosen),
        }
    }

    /// A line a job.
    #[must_use]
    pub fn to_text(&self) -> String {
        let lines = self.by_job.iter();
        lines.map(|(job, way)| format!("{job}: {way}\n")).collect()
    }

    /// Takes over what another knows of jobs that this one does not have.
    pub fn merge(&mut self, other: &Self) {
        for (job, way) in &other.by_job {
            if self.find(job).is_err() {
                self.set(job, way);
            }
        }
    }

    /// The one of `ways` that a job goes.
    ///
    /// # Panics
    /// When there are none: every job has one.
    #[must_use]
    pub fn way(&self, job: &Job, ways: &[Way]) -> Way {
        let chosen = match self.all {
            Some((width, way)) => (width == job.width).then(|| way.to_string()),
            None => self.get(job).map(str::to_owned),
        };
        let is_chosen = |way: &&Way| chosen.as_ref().is_some_and(|name| *name == way.to_string());
        *ways.iter().find(is_chosen).unwrap_or(&ways[0])
    }

    /// Whether a way of the job was chosen.
    #[must_use]
    pub fn has(&self, job: &Job) -> bool {
        self.all.is_some() || self.get(job).is_some()
    }

    /// Chooses a way for a job.
    pub fn choose(&mut self, job: &Job, way: Way) {
        self.set(&job.to_string(), &way.to_string());
    }
}

#[cfg(test)]
mod tests {
    use puna_core::quant::FORMATS;

    use super::*;

    fn job(width: Width) -> Job {
        Job {
            kernel: "glu",
            format: FORMATS[2],
            rows: 96,
            cols: 64,
            width,
        }
    }

    #[test]
    fn choices_survive_as_text_and_nonsense_is_passed_over() {
        let job = job(Width::Many);
        let ways = job.ways(Split::Shared, Precision::F32, true);
        assert!(ways.len() >= 3, "{ways:?}");
        for &way in &ways {
            let mut choices = Choices::default();
            assert_eq!(choices.way(&job, &ways), ways[0], "the default");
            choices.choose(&job, way);
            let text = choices.to_text();
            assert_eq!(Choices::parse(&text), choices, "{text}");
            assert_eq!(Choices::parse(&text).way(&job, &ways), way);
            let torn = format!("x\n{}: warp-9\n: \n\0{text}", self::job(Width::One));
            let one = self::job(Width::One);
            let others = one.ways(Split::Shared, Precision::F32, true);
            assert_eq!(Choices::parse(&torn).way(&one, &others), others[0]);
        }
    }

    #[test]
    fn names_of_ways_tell_them_apart() {
        for split in [
            Split::Shared,
            Split::Subgroup(8, 32),
            Split::Subgroup(64, 128),
        ] {
            for precision in [Precision::F32, Precision::F16] {
                for &width in split.widths() {
                    let ways = split.ways(width, precision, true);
                    let names: std::collections::BTreeSet<_> =
                        ways.iter().map(Way::to_string).collect();
                    assert_eq!(names.len(), ways.len(), "{ways:?}");
                }
            }
        }
    }

    #[test]
    fn rounding_is_no_way_where_it_is_not_wanted_or_weights_are_floats() {
        let int8 = |ways: &[Way]| ways.iter().any(|way| way.to_string().starts_with("int8"));
        let job = job(Width::Many);
        assert!(int8(&job.ways(Split::Shared, Precision::F32, true)));
        assert!(!int8(&job.ways(Split::Shared, Precision::F32, false)));
        let floats = Job {
            format: FORMATS[0],
            ..job
        };
        assert!(!int8(&floats.ways(Split::Shared, Precision::F32, true)));
    }
}
