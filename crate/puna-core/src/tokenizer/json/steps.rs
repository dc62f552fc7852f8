//! The normalizer, the pre-tokenizer and the decoder of a `tokenizer.json`.

use super::super::bert::{self, Bert};
use super::super::charsmap::Charsmap;
use super::super::normalizer::Normalizer;
use super::super::pre;
use super::super::regex::Pattern;
use super::super::splitter::{Matches, Prefix, Splitter};
use super::super::unicode::NormalForm;
use super::base64;
use super::part::Part;
use crate::Result;

/// The steps of `normalizer`.
pub(super) fn normalizers(part: &Part<'_>) -> Result<Vec<Normalizer>> {
    part.steps("normalizers")?.iter().map(normalizer).collect()
}

fn normalizer(step: &Part<'_>) -> Result<Normalizer> {
    Ok(match step.kind()? {
        "NFC" => Normalizer::Form(NormalForm::Nfc),
        "NFD" => Normalizer::Form(NormalForm::Nfd),
        "NFKC" => Normalizer::Form(NormalForm::Nfkc),
        "NFKD" => Normalizer::Form(NormalForm::Nfkd),
        "Lowercase" => Normalizer::Lowercase,
        "StripAccents" => Normalizer::StripAccents,
        "Nmt" => Normalizer::Nmt,
        "ByteLevel" => Normalizer::Bytes,
        "Strip" => Normalizer::Strip {
            left: step.get("strip_left").bool(true)?,
            right: step.get("strip_right").bool(true)?,
        },
        "Prepend" => Normalizer::Prepend(step.get("prepend").str()?.to_owned()),
        "Replace" => {
            let content = step.get("content").str()?.to_owned();
            Normalizer::Replace(pattern(&step.get("pattern"))?, content)
        }
        "BertNormalizer" => {
            let lowercase = step.get("lowercase").bool(true)?;
            Normalizer::Bert(Bert {
                clean: step.get("clean_text").bool(true)?,
                chinese: step.get("handle_chinese_chars").bool(true)?,
                strip_accents: step.get("strip_accents").bool(lowercase)?,
                lowercase,
            })
        }
        "Precompiled" => {
            let map = step.get("precompiled_charsmap");
            let blob = base64::decode(map.str()?).ok_or_else(|| map.bad("base64"))?;
            Normalizer::Charsmap(Charsmap::parse(&blob)?)
        }
        other => return Err(step.unsupported(&format!("the normalizer {other:?}"))),
    })
}

/// `{"String": …}` or `{"Regex": …}`.
fn pattern(part: &Part<'_>) -> Result<Pattern> {
    let text = part.get("String");
    if !text.is_null() {
        return Ok(Pattern::Text(text.str()?.to_owned()));
    }
    let expression = part.get("Regex");
    if expression.is_null() {
        return Err(part.bad("an object with \"String\" or \"Regex\""));
    }
    Pattern::expression(expression.str()?).map_err(|error| expression.unsupported(&error))
}

/// The steps of `pre_tokenizer`.
pub(super) fn splitters(part: &Part<'_>) -> Result<Vec<Splitter>> {
    let mut splitters = Vec::new();
    for step in part.steps("pretokenizers")? {
        splitter(&step, &mut splitters)?;
    }
    Ok(splitters)
}

fn splitter(step: &Part<'_>, steps: &mut Vec<Splitter>) -> Result<()> {
    let splitter = match step.kind()? {
        "Split" => Splitter::Pattern {
            pattern: pattern(&step.get("pattern"))?,
            matches: matches(&step.get("behavior"))?,
            invert: step.get("invert").bool(false)?,
        },
        "ByteLevel" => {
            let prefix_space = step.get("add_prefix_space").bool(true)?;
            if step.get("use_regex").bool(true)? {
                if prefix_space {
                    steps.push(Splitter::Spaces {
                        replacement: ' ',
                        prefix: Prefix::All,
                        split: false,
                    });
                }
                steps.push(pre::gpt2()?);
            }
            // The words that the expression leaves get no space of their own.
            let prefix_space = prefix_space && !step.get("use_regex").bool(true)?;
            Splitter::Bytes { prefix_space }
        }
        "Metaspace" => metaspace(step)?,
        "Digits" => {
            let individual = step.get("individual_digits").bool(false)?;
            Splitter::Pattern {
                pattern: Pattern::Character(char::is_numeric),
                matches: if individual {
                    Matches::Isolated
                } else {
                    Matches::Contiguous
                },
                invert: false,
            }
        }
        "Punctuation" => {
            let behavior = step.get("behavior");
            Splitter::Pattern {
                pattern: Pattern::Character(bert::is_punctuation),
                matches: if behavior.is_null() {
                    Matches::Isolated
                } else {
                    matches(&behavior)?
                },
                invert: false,
            }
        }
        "Whitespace" => Splitter::Pattern {
            pattern: pre::expression(r"\w+|[^\w\s]+")?,
            matches: Matches::Removed,
            invert: true,
        },
        "WhitespaceSplit" => Splitter::remove(Pattern::Character(char::is_whitespace)),
        "BertPreTokenizer" => {
            steps.extend(bert::splitters());
            return Ok(());
        }
        "CharDelimiterSplit" => {
            let delimiter = step.get("delimiter").char()?;
            Splitter::remove(Pattern::Text(delimiter.into()))
        }
        other => return Err(step.unsupported(&format!("the pre-tokenizer {other:?}"))),
    };
    steps.push(splitter);
    Ok(())
}

fn matches(part: &Part<'_>) -> Result<Matches> {
    Ok(match part.str()? {
        "Removed" => Matches::Removed,
        "Isolated" => Matches::Isolated,
        "MergedWithPrevious" => Matches::WithPrevious,
        "MergedWithNext" => Matches::WithNext,
        "Contiguous" => Matches::Contiguous,
        _ => {
            return Err(part.bad(
                "\"Removed\", \"Isolated\", \"MergedWithPrevious\", \"MergedWithNext\" or \"Contiguous\"",
            ));
        }
    })
}

fn metaspace(step: &Part<'_>) -> Result<Splitter> {
    let scheme = step.get("prepend_scheme");
    let prefix = match scheme.is_null() {
        // Older files say it with a flag.
        true if step.get("add_prefix_space").bool(true)? => Prefix::All,
        true => Prefix::None,
        false => match scheme.str()? {
            "first" => Prefix::First,
            "never" => Prefix::None,
            "always" => Prefix::All,
            _ => return Err(scheme.bad("\"first\", \"never\" or \"always\"")),
        },
    };
    Ok(Splitter::Spaces {
        replacement: step.get("replacement").char()?,
        prefix,
        split: step.get("split").bool(true)?,
    })
}
