//! What is done to a text before it is cut into words.

use super::bert::Bert;
use super::bytes;
use super::charsmap::Charsmap;
use super::regex::{Pattern, Work};
use super::unicode::{self, NormalForm};
use crate::{Error, ErrorCode, Result};

/// Sentencepiece's stand-in for a space.
pub(super) const SPACE: &str = "\u{2581}";

/// Bytes of a text before and after each step: more than any context holds. A file could ask for more than
/// there is memory.
const MAX_BYTES: usize = 8 << 20;

/// A step.
pub(super) enum Normalizer {
    /// Unicode's normal forms.
    Form(NormalForm),
    /// Every character's lower case.
    Lowercase,
    /// Drops combining marks.
    StripAccents,
    /// What Google's translation systems do to control characters.
    Nmt,
    /// Drops white space at the ends.
    Strip { left: bool, right: bool },
    /// Puts a text in front of one that is not empty.
    Prepend(String),
    /// Every match becomes this text.
    Replace(Pattern, String),
    /// BERT's: control characters, Chinese characters, accents, case.
    Bert(Bert),
    /// Sentencepiece's table as `tokenizers` applies it: to user-perceived characters of up to 5 bytes, or
    /// else character by character.
    Charsmap(Charsmap),
    /// Sentencepiece's table and white space as llama.cpp applies them.
    Sentencepiece(Sentencepiece),
    /// Every byte as a printable character.
    Bytes,
}

/// Sentencepiece's normalizer.
pub(super) struct Sentencepiece {
    pub(super) charsmap: Option<Charsmap>,
    /// A text begins with a space.
    pub(super) prefix: bool,
    /// Several spaces are one, and those at the ends none.
    pub(super) merge: bool,
}

impl Normalizer {
    /// Does it.
    pub(super) fn apply(&self, text: &mut String) -> Result<()> {
        bounded(text.len())?;
        match self {
            Self::Form(form) => *text = form.of(text)?,
            Self::Lowercase => *text = text.chars().flat_map(char::to_lowercase).collect(),
            Self::StripAccents => {
                let marks = unicode::class("M").map_err(Error::internal)?;
                text.retain(|character| !marks.contains(character));
            }
            Self::Nmt => *text = text.chars().filter_map(nmt).collect(),
            Self::Strip { left, right } => {
                let kept = if *left {
                    text.trim_start()
                } else {
                    text.as_str()
                };
                let kept = if *right { kept.trim_end() } else { kept };
                *text = kept.to_owned();
            }
            Self::Prepend(prefix) if text.is_empty() || prefix.is_empty() => {}
            Self::Prepend(prefix) => text.insert_str(0, prefix),
            Self::Replace(pattern, content) => replace(pattern, content, text)?,
            Self::Bert(bert) => *text = bert.apply(text)?,
            Self::Charsmap(map) => *text = by_graphemes(map, text)?,
            Self::Sentencepiece(sentencepiece) => *text = sentencepiece.apply(text)?,
            Self::Bytes => {
                let mut written = String::new();
                bytes::write(text, &mut written);
                *text = written;
            }
        }
        bounded(text.len())
    }
}

fn bounded(length: usize) -> Result<()> {
    if length <= MAX_BYTES {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::ContextLengthExceeded,
        format!("a text has more than {MAX_BYTES} bytes, or the tokenizer makes more of it"),
    ))
}

/// What sentencepiece's normalizer of translations (`nmt_nfkc`) does besides the normal form.
fn nmt(character: char) -> Option<char> {
    match character {
        '\u{1}'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}' | '\u{8f}' | '\u{9f}' => None,
        '\t'
        | '\n'
        | '\u{c}'
        | '\r'
        | '\u{1680}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{2581}'
        | '\u{feff}'
        | '\u{fffd}' => Some(' '),
        other => Some(other),
    }
}

fn replace(pattern: &Pattern, content: &str, text: &mut String) -> Result<()> {
    let mut out = String::with_capacity(text.len());
    pattern.cut(text, &Work::of(text.len()), |part, is_match| {
        out.push_str(if is_match { content } else { part });
        bounded(out.len())
    })?;
    *text = out;
    Ok(())
}

fn by_graphemes(map: &Charsmap, text: &str) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    for grapheme in unicode::graphemes(text)? {
        let whole = (grapheme.len() < 6).then(|| map.shortest(grapheme.as_bytes()));
        if let Some(replacement) = whole.flatten() {
            out.push_str(replacement.text);
        } else {
            for character in grapheme.chars() {
                let mut buffer = [0; 4];
                let part: &str = character.encode_utf8(&mut buffer);
                let replacement = map.shortest(part.as_bytes());
                out.push_str(replacement.map_or(part, |replacement| replacement.text));
            }
        }
        bounded(out.len())?;
    }
    Ok(out)
}

impl Sentencepiece {
    fn apply(&self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len() + SPACE.len());
        // Whether the last character was no space.
        let mut in_word = false;
        let mut is_prefixed = false;
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let found = self
                .charsmap
                .as_ref()
                .and_then(|map| map.longest(rest.as_bytes()));
            let found = found.filter(|found| rest.is_char_boundary(found.length));
            let length = found
                .as_ref()
                .map_or(first.len_utf8(), |found| found.length);
            let (part, behind) = rest.split_at(length);
            rest = behind;
            for character in found.map_or(part, |found| found.text).chars() {
                if character != ' ' {
                    if !in_word && (self.merge || self.prefix && !is_prefixed) {
                        out.push_str(SPACE);
                        is_prefixed = true;
                    }
                    in_word = true;
                    out.push(character);
                } else {
                    in_word = false;
                    if !self.merge {
                        out.push_str(SPACE);
                    }
                }
            }
            bounded(out.len())?;
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokenizer::charsmap;

    #[track_caller]
    fn check(normalizer: &Normalizer, text: &str, expected: &str) {
        let mut got = text.to_owned();
        normalizer.apply(&mut got).unwrap();
        assert_eq!(got, expected, "{text:?}");
    }

    #[test]
    fn each_does_what_its_name_says() {
        check(&Normalizer::Form(NormalForm::Nfc), "e\u{301}", "é");
        check(&Normalizer::Form(NormalForm::Nfd), "é", "e\u{301}");
        check(&Normalizer::Form(NormalForm::Nfkc), "ﬁ", "fi");
        check(&Normalizer::Form(NormalForm::Nfkd), "ﬁé", "fie\u{301}");
        check(&Normalizer::Lowercase, "ÀİẞΣ", "ài̇ßσ");
        check(&Normalizer::StripAccents, "e\u{301}a", "ea");
        let strip = |left, right| Normalizer::Strip { left, right };
        check(&strip(true, false), " a ", "a ");
        check(&strip(true, true), "\u{a0}a\n", "a");
        check(&Normalizer::Prepend("_".to_owned()), "a", "_a");
        check(&Normalizer::Prepend("_".to_owned()), "", "");
        let spaces = Normalizer::Replace(Pattern::Text(" ".to_owned()), SPACE.to_owned());
        check(&spaces, "a  b", "a▁▁b");
        let digits = Normalizer::Replace(Pattern::expression(r"\d+").unwrap(), "#".to_owned());
        check(&digits, "a12b3", "a#b#");
        check(&Normalizer::Bytes, "a é", "aĠÃ©");
        let bert = Bert {
            clean: true,
            chinese: true,
            strip_accents: true,
            lowercase: true,
        };
        check(&Normalizer::Bert(bert), "Ünï\u{0}\tA中", "uni a 中 ");
    }

    #[test]
    fn a_table_of_replacements_is_applied_by_either_rule() {
        let map = || Charsmap::parse(&charsmap::tests::small()).unwrap();
        let pieces = |charsmap, prefix, merge| {
            Normalizer::Sentencepiece(Sentencepiece {
                charsmap,
                prefix,
                merge,
            })
        };
        check(&pieces(Some(map()), false, false), "abac", "yyxc");
        check(&Normalizer::Charsmap(map()), "abac", "xbxc");
        check(&pieces(None, true, true), "  a  b ", "▁a▁b");
        check(&pieces(None, true, false), " a", "▁▁a");
        check(&pieces(None, false, false), "a b", "a▁b");
        check(&pieces(None, true, true), "  ", "");
    }

    #[test]
    fn a_text_that_grows_without_end_is_an_error() {
        let double = Normalizer::Replace(Pattern::Text("a".to_owned()), "aaaa".to_owned());
        let mut text = "a".repeat(1000);
        let error = (0..20).find_map(|_| double.apply(&mut text).err());
        assert!(
            error.expect("too long").message().contains("bytes"),
            "bounded"
        );
        assert!(text.len() <= MAX_BYTES, "the last that fitted");
    }
}
