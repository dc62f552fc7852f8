//! The normalizer, the pre-tokenizer and the decoder of a `tokenizer.json`.

use super::super::bert::{self, Bert};
use super::super::charsmap::Charsmap;
use super::super::normalizer::Normalizer;
use super::super::pre;
use super::super::regex::Pattern;
use super::super::splitter::{Matches, Prefix, Splitter};
use super::super::unicode::NormalForm;
use super::part::Part;
use crate::{Result, base64};

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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokenizers::{
        NormalizedString, Normalizer as _, NormalizerWrapper, OffsetReferential, OffsetType,
        PreTokenizedString, PreTokenizer as _, PreTokenizerWrapper,
    };

    use super::*;
    use crate::tokenizer::regex::Work;
    use crate::tokenizer::regex::tests::texts;
    use crate::tokenizer::splitter;

    #[test]
    fn pre_tokenizers_cut_as_the_library_does() {
        for step in [
            json!({"type": "Digits", "individual_digits": true}),
            json!({"type": "Digits", "individual_digits": false}),
            json!({"type": "Punctuation", "behavior": "Isolated"}),
            json!({"type": "Punctuation", "behavior": "Contiguous"}),
            json!({"type": "Punctuation", "behavior": "Removed"}),
            json!({"type": "Punctuation", "behavior": "MergedWithNext"}),
            json!({"type": "Whitespace"}),
            json!({"type": "WhitespaceSplit"}),
            json!({"type": "BertPreTokenizer"}),
            json!({"type": "CharDelimiterSplit", "delimiter": "."}),
            json!({"type": "Split", "pattern": {"Regex": "\\s+|b"}, "behavior": "MergedWithPrevious", "invert": true}),
        ] {
            let ours = splitters(&Part::new(&step, "pre_tokenizer")).unwrap();
            let library: PreTokenizerWrapper = serde_json::from_value(step.clone()).unwrap();
            for text in texts(200) {
                let mut words = Vec::new();
                splitter::split(&ours, &text, true, &Work::of(text.len()), &mut |word| {
                    words.push(word.to_owned());
                    Ok(())
                })
                .unwrap();
                let mut pieces = PreTokenizedString::from(text.as_str());
                library.pre_tokenize(&mut pieces).unwrap();
                let pieces = pieces.get_splits(OffsetReferential::Normalized, OffsetType::None);
                let expected = pieces.into_iter().map(|(piece, ..)| piece);
                let expected: Vec<_> = expected.filter(|piece| !piece.is_empty()).collect();
                // No text is one empty word to us.
                words.retain(|word| !word.is_empty());
                assert_eq!(words, expected, "{step} in {text:?}");
            }
        }
    }

    #[test]
    fn normalizers_do_what_the_library_does() {
        let controls: String = (0..0x300_u32).filter_map(char::from_u32).collect();
        let others = "\u{1680}\u{200b}\u{200f}\u{2028}\u{2029}\u{2581}\u{feff}\u{fffd}\u{20dd}";
        for step in [
            json!({"type": "Nmt"}),
            json!({"type": "StripAccents"}),
            json!({"type": "Lowercase"}),
            json!({"type": "NFC"}),
            json!({"type": "NFKD"}),
            json!({"type": "Strip", "strip_left": true, "strip_right": false}),
            json!({"type": "Prepend", "prepend": "x"}),
            json!({"type": "Replace", "pattern": {"Regex": "\\d"}, "content": "#"}),
            json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}),
        ] {
            let ours = normalizers(&Part::new(&step, "normalizer")).unwrap();
            let library: NormalizerWrapper = serde_json::from_value(step.clone()).unwrap();
            for text in texts(200)
                .into_iter()
                .chain([controls.clone(), others.to_owned()])
            {
                let mut got = text.clone();
                ours.iter()
                    .try_for_each(|step| step.apply(&mut got))
                    .unwrap();
                let mut expected = NormalizedString::from(text.as_str());
                library.normalize(&mut expected).unwrap();
                assert_eq!(got, expected.get(), "{step} of {text:?}");
            }
        }
    }
}
