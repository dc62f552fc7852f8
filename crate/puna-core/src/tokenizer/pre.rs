//! Pre-tokenizers: how text is cut into words before merges are applied, a line each.
//!
//! A GGUF names its pre-tokenizer in `tokenizer.ggml.pre`; the expressions behind a name are those
//! that the model was trained with. Each expression cuts the pieces which the one before it left.

use tokenizers::utils::SysRegex;

use crate::{Error, Result};

/// What a name in `tokenizer.ggml.pre` stands for.
pub(super) struct PreTokenizer {
    /// The names.
    names: &'static [&'static str],
    /// Applied in turn.
    expressions: &'static [Expression],
    /// A word that is in the vocabulary is that token, whatever the merges say.
    pub(super) ignore_merges: bool,
    /// Whether a text begins with BOS where the file does not say.
    pub(super) add_bos: bool,
}

/// An expression; what it does not match stays a piece of its own.
enum Expression {
    /// Leaves gaps; without look-around, so that the engine can't give up on it.
    Leaves(&'static str),
    /// Matches everything: a gap means that the engine gave up.
    Covers(&'static str),
}
use Expression::{Covers, Leaves};

const DIGIT: Expression = Leaves(r"\p{N}");
const GPT2: Expression =
    Covers(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");
const LLAMA3: Expression = Covers(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
const QWEN2: Expression = Covers(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
);
const PUNCTUATION: Expression = Leaves(r"[\p{P}$+<=>^~|]+");
const NUMBER: Expression = Leaves(r"\p{N}+");
const THREE_DIGITS: Expression = Leaves(r"[0-9][0-9][0-9]");

/// The registry. `default` is what llama.cpp takes for files that do not say.
const ALL: &[PreTokenizer] = &[
    row(&["smollm"], &[DIGIT, GPT2], false, false),
    row(&["llama-bpe", "llama3", "llama-v3"], &[LLAMA3], true, true),
    row(&["gpt-2"], &[GPT2], false, false),
    row(&["qwen2", "deepseek-r1-qwen"], &[QWEN2], false, false),
    row(
        &["default"],
        &[PUNCTUATION, GPT2, NUMBER, THREE_DIGITS],
        false,
        false,
    ),
];

const fn row(
    names: &'static [&'static str],
    expressions: &'static [Expression],
    ignore_merges: bool,
    add_bos: bool,
) -> PreTokenizer {
    PreTokenizer {
        names,
        expressions,
        ignore_merges,
        add_bos,
    }
}

/// The pre-tokenizer called `name`.
pub(super) fn find(name: &str) -> Result<&'static PreTokenizer> {
    ALL.iter()
        .find(|row| row.names.contains(&name))
        .ok_or_else(|| {
            let known: Vec<&str> = ALL.iter().flat_map(|row| row.names).copied().collect();
            Error::unsupported_model(format!(
            "the pre-tokenizer {name:?} (tokenizer.ggml.pre) is not supported; supported are {}",
            known.join(", ")
        ))
        .detail("pre_tokenizer", name)
        })
}

/// A pre-tokenizer, ready to cut.
pub(super) struct Splitter {
    expressions: Vec<(SysRegex, bool)>,
}

impl Splitter {
    pub(super) fn new(pre: &PreTokenizer) -> Result<Self> {
        let compile = |expression: &Expression| {
            let (text, matches_all) = match expression {
                Leaves(text) => (text, false),
                Covers(text) => (text, true),
            };
            SysRegex::new(text).map_or_else(
                |error| Err(Error::internal(format!("pre-tokenizer {text}: {error}"))),
                |regex| Ok((regex, matches_all)),
            )
        };
        let expressions = pre.expressions.iter().map(compile).collect::<Result<_>>()?;
        Ok(Self { expressions })
    }

    /// Calls `each` with the words of `text`, in order; they cover it.
    pub(super) fn split<'t>(
        &self,
        text: &'t str,
        each: &mut dyn FnMut(&'t str) -> Result<()>,
    ) -> Result<()> {
        split(&self.expressions, text, each)
    }
}

fn split<'t>(
    expressions: &[(SysRegex, bool)],
    text: &'t str,
    each: &mut dyn FnMut(&'t str) -> Result<()>,
) -> Result<()> {
    let Some(((regex, matches_all), rest)) = expressions.split_first() else {
        return each(text);
    };
    let mut end = 0;
    for (from, to) in regex.find_iter(text) {
        for piece in [text.get(end..from), text.get(from..to)] {
            match piece {
                None => return Err(Error::internal("a pre-tokenizer cut inside a character")),
                Some("") => {}
                Some(piece) => split(rest, piece, each)?,
            }
        }
        end = to;
    }
    match text.get(end..) {
        None | Some("") => Ok(()),
        Some(gap) if *matches_all => Err(Error::internal(format!(
            "the pre-tokenizer gave up on the last {} bytes of a text",
            gap.len()
        ))),
        Some(gap) => split(rest, gap, each),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        let splitter = Splitter::new(find(name).unwrap()).unwrap();
        let mut words = Vec::new();
        splitter
            .split(text, &mut |word| {
                words.push(word);
                Ok(())
            })
            .unwrap();
        assert_eq!(words, expected, "{name} on {text:?}");
    }

    #[test]
    fn words_are_cut_as_each_model_was_trained() {
        check(
            "gpt-2",
            "He's 1234 a\n\nb  c ",
            &["He", "'s", " 1234", " a", "\n", "\n", "b", " ", " c", " "],
        );
        check("smollm", "x 1234!", &["x", " ", "1", "2", "3", "4", "!"]);
        check(
            "llama-bpe",
            "I'M 12345 a\n\n b",
            &["I", "'M", " ", "123", "45", " a", "\n\n", " b"],
        );
        check(
            "qwen2",
            "I'M 12 a\n\n b",
            &["I", "'M", " ", "1", "2", " a", "\n\n", " b"],
        );
        check("default", "a.b 12345", &["a", ".", "b", " ", "123", "45"]);
        check("gpt-2", "", &[]);
    }

    #[test]
    fn a_long_run_is_cut_in_one_pass() {
        let spaces = " ".repeat(200_000);
        let text = format!("{spaces}x");
        check("llama-bpe", &text, &[&spaces[1..], " x"]);
        check("smollm", &text, &[&spaces[1..], " x"]);
    }

    #[test]
    fn every_name_is_there_once() {
        let mut names: Vec<_> = ALL.iter().flat_map(|row| row.names).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "a name is in two rows");
    }
}
