//! The one failure of this tool: a sentence for the person at the terminal, saying what to do.

use std::fmt;

/// Result of everything here that can fail.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

/// What went wrong and what to do about it.
pub(crate) struct Failure(String);

impl Failure {
    /// A failure with this text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says in words what an error of a library or of the system means here.
pub(crate) trait Explain<T> {
    /// `text: cause`; the text is made only on failure.
    fn explain<S: fmt::Display>(self, text: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: fmt::Display> Explain<T> for std::result::Result<T, E> {
    fn explain<S: fmt::Display>(self, text: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|cause| Failure::new(format!("{}: {cause:#}", text())))
    }
}
