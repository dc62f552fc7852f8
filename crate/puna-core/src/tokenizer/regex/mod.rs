//! What a step of a tokenizer looks for in a text: characters, a text, or a regular expression.
//!
//! Expressions are read and looked for here, not by the engine of the `tokenizers` crate: its automata and tables are an
//! eighth of the wasm, and of Unicode's sets a browser has its own (`super::unicode`). The tests hold one to the other.

mod program;
mod syntax;
#[cfg(test)]
pub(super) mod tests;

use crate::{Error, Result};
use program::{GaveUp, Machine, Program};

pub(super) use program::Work;

/// The longest published expressions have some 2 kB.
const MAX_BYTES: usize = 64 << 10;
/// What is looked for in a text.
pub(super) enum Pattern {
    /// Characters like this.
    Character(fn(char) -> bool),
    /// This text, as it is.
    Text(String),
    /// What matches this expression.
    Expression(Box<Expression>),
}

/// A regular expression.
pub(super) struct Expression {
    source: String,
    program: Program,
}

impl Pattern {
    /// An expression; the reason, if it is none.
    pub(super) fn expression(source: &str) -> Result<Self, String> {
        if source.len() > MAX_BYTES {
            let bytes = source.len();
            return Err(format!(
                "the expression has {bytes} bytes; at most {MAX_BYTES} are supported"
            ));
        }
        let program = syntax::parse(source).and_then(|node| Program::of(&node));
        let program = program.map_err(|error| format!("the expression {source:?}: {error}"))?;
        let source = source.to_owned();
        Ok(Self::Expression(Box::new(Expression { source, program })))
    }

    /// Calls `each` with the parts of `text` in order, and whether they are matches; they cover it. Empty
    /// parts are left out.
    pub(super) fn cut<'t>(
        &self,
        text: &'t str,
        work: &Work,
        mut each: impl FnMut(&'t str, bool) -> Result<()>,
    ) -> Result<()> {
        let mut end = 0;
        let mut found = |start: usize, stop: usize| {
            for (range, is_match) in [(end..start, false), (start..stop, true)] {
                match text.get(range) {
                    None => return Err(Error::internal("a pattern cut inside a character")),
                    Some("") => {}
                    Some(part) => each(part, is_match)?,
                }
            }
            end = stop;
            Ok(())
        };
        match self {
            Self::Text(pattern) if pattern.is_empty() => {}
            Self::Text(pattern) => {
                for (start, matched) in text.match_indices(pattern.as_str()) {
                    found(start, start + matched.len())?;
                }
            }
            Self::Character(holds) => {
                for (start, matched) in text.match_indices(holds) {
                    found(start, start + matched.len())?;
                }
            }
            Self::Expression(expression) => expression.each(text, work, found)?,
        }
        match text.get(end..) {
            None | Some("") => Ok(()),
            Some(rest) => each(rest, false),
        }
    }
}

impl Expression {
    /// Calls `found` with where each match begins and ends. They are in order and apart.
    fn each(
        &self,
        text: &str,
        work: &Work,
        mut found: impl FnMut(usize, usize) -> Result<()>,
    ) -> Result<()> {
        let gave_up = |_: GaveUp| {
            Error::unsupported_model(format!(
                "the tokenizer's expression {:?} gave up on a text of {} bytes: it would take too long",
                self.source,
                text.len()
            ))
        };
        let mut machine = Machine::new(&self.program, text, work);
        let mut at = 0;
        while let Some(next) = text.get(at..).map(|rest| rest.chars().next()) {
            let end = machine.at(at).map_err(gave_up)?;
            if let Some(end) = end {
                found(at, end)?;
            }
            at = match (end.filter(|&end| end > at), next) {
                (Some(end), _) => end,
                (None, Some(next)) => at + next.len_utf8(),
                (None, None) => break,
            };
        }
        Ok(())
    }
}
