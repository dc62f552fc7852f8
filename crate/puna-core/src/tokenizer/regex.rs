//! Regular expressions of tokenizers, by the engine that the `tokenizers` crate uses.
//!
//! The crate's own wrapper ends an iteration in silence when the engine gives up; this one is an error.

use fancy_regex::{Regex, RegexBuilder};

use crate::{Error, Result};

/// The longest published expressions have some 2 kB.
const MAX_BYTES: usize = 64 << 10;
/// Bytes of an automaton: bounds what an expression like `(\p{L}{1000}){1000}` costs.
const MAX_COMPILED_BYTES: usize = 8 << 20;
/// Steps back that one match may take: bounds the time of an expression that is made to take long. The
/// published ones take two, or one for each digit of a number.
const MAX_BACKTRACKS: usize = 100_000;

/// What is looked for in a text.
pub(super) enum Pattern {
    /// This text, as it is.
    Text(String),
    /// What matches this expression.
    Expression(Box<Regex>),
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
        RegexBuilder::new(source)
            .backtrack_limit(MAX_BACKTRACKS)
            .delegate_size_limit(MAX_COMPILED_BYTES)
            .build()
            .map(|regex| Self::Expression(Box::new(regex)))
            .map_err(|error| format!("the expression {source:?}: {error}"))
    }

    /// Calls `each` with the parts of `text` in order, and whether they are matches; they cover it. Empty
    /// parts are left out.
    pub(super) fn cut<'t>(
        &self,
        text: &'t str,
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
            Self::Expression(regex) => {
                for matched in regex.find_iter(text) {
                    let matched = matched.map_err(|error| {
                        Error::unsupported_model(format!(
                            "the tokenizer's expression {:?} gave up on a text of {} bytes: {error}",
                            regex.as_str(),
                            text.len()
                        ))
                    })?;
                    found(matched.start(), matched.end())?;
                }
            }
        }
        match text.get(end..) {
            None | Some("") => Ok(()),
            Some(rest) => each(rest, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(pattern: &Pattern, text: &str) -> Vec<(String, bool)> {
        let mut parts = Vec::new();
        pattern
            .cut(text, |part, is_match| {
                parts.push((part.to_owned(), is_match));
                Ok(())
            })
            .unwrap();
        parts
    }

    #[test]
    fn parts_cover_the_text() {
        let pattern = Pattern::expression(r"\d+").unwrap();
        let expected = [("a", false), ("12", true), ("b", false), ("3", true)];
        let expected: Vec<_> = expected.map(|(t, m)| (t.to_owned(), m)).to_vec();
        assert_eq!(parts(&pattern, "a12b3"), expected, "digits");
        let pattern = Pattern::Text("1".to_owned());
        assert_eq!(parts(&pattern, "11").len(), 2, "two matches");
        assert_eq!(
            parts(&Pattern::Text(String::new()), "ab").len(),
            1,
            "nothing"
        );
        // Empty matches cut and add nothing.
        let pattern = Pattern::expression("(?=b)").unwrap();
        let expected: Vec<_> = [("a", false), ("b", false)]
            .map(|(t, m)| (t.to_owned(), m))
            .to_vec();
        assert_eq!(parts(&pattern, "ab"), expected, "cut in front of b");
    }

    #[test]
    fn an_expression_that_is_none_or_too_much_is_refused() {
        for source in [
            "(",
            "[a",
            "a{2,1}",
            r"(\p{L}{1000}){1000}",
            &"a".repeat(100_000),
        ] {
            assert!(Pattern::expression(source).is_err(), "{source:.20}");
        }
    }

    #[test]
    fn giving_up_is_an_error() {
        // Backtracks exponentially; the back-reference keeps it from a plain automaton.
        let pattern = Pattern::expression(r"(a*)*\1b").unwrap();
        let error = pattern.cut(&"a".repeat(200), |_, _| Ok(()));
        let error = error.expect_err("it gives up");
        assert!(error.message().contains("gave up"), "{error}");
    }
}
