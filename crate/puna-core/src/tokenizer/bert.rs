//! BERT's normalizer and its cut into words (Devlin et al. 2018, `BasicTokenizer` of the authors' code), as the `tokenizers` crate has it.

use unicode_categories::UnicodeCategories as _;

use super::regex::Pattern;
use super::splitter::Splitter;
use super::unicode::NormalForm;
use crate::Result;

/// Which of its steps a model has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bert {
    /// Control characters are dropped, white space of all kinds becomes a space.
    pub(super) clean: bool,
    /// Chinese characters stand between spaces.
    pub(super) chinese: bool,
    /// Letters lose their accents.
    pub(super) strip_accents: bool,
    /// Every character's lower case.
    pub(super) lowercase: bool,
}

impl Bert {
    pub(super) fn apply(self, text: &str) -> Result<String> {
        let mut out = String::with_capacity(text.len());
        for character in text.chars() {
            match character {
                '\t' | '\n' | '\r' if self.clean => out.push(' '),
                '\0' | '\u{fffd}' if self.clean => {}
                _ if self.clean && character.is_other() => {}
                _ if self.clean && character.is_whitespace() => out.push(' '),
                _ if self.chinese && is_chinese(character) => out.extend([' ', character, ' ']),
                _ => out.push(character),
            }
        }
        if self.strip_accents {
            out = NormalForm::Nfd.of(&out)?;
            out.retain(|character| !character.is_mark_nonspacing());
        }
        if self.lowercase {
            out = out.chars().flat_map(char::to_lowercase).collect();
        }
        Ok(out)
    }
}

/// Words stand between white space, and so does each character of punctuation.
pub(super) fn splitters() -> [Splitter; 2] {
    [
        Splitter::remove(Pattern::Character(char::is_whitespace)),
        Splitter::isolate(Pattern::Character(is_punctuation)),
    ]
}

/// Unicode's punctuation, and ASCII's symbols.
pub(super) fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation() || character.is_punctuation()
}

/// Blocks of ideographs, by which the authors mean Chinese; one of them begins where they, and `tokenizers`, have it.
fn is_chinese(character: char) -> bool {
    matches!(
        u32::from(character),
        0x3400..=0x4DBF
            | 0x4E00..=0x9FFF
            | 0xF900..=0xFAFF
            | 0x2_0000..=0x2_A6DF
            | 0x2_A700..=0x2_B73F
            | 0x2_B740..=0x2_B81F
            | 0x2_B920..=0x2_CEAF
            | 0x2_F800..=0x2_FA1F
    )
}

#[cfg(test)]
mod tests {
    use tokenizers::normalizers::BertNormalizer;
    use tokenizers::{NormalizedString, Normalizer as _};

    use super::*;

    #[test]
    fn it_does_what_the_library_does() {
        let samples = [
            "Ünï\u{0}\tA中",
            "a\u{ad}b\u{200d}c\u{fffd}\r\nÉCLAIR İ ẞ",
            "漢字\u{3000}かな 한국어 \u{20000}\u{2b921}",
            "e\u{301}\u{323} ﬁ Ǆ Σς \u{85}\u{a0}x\u{e000}",
        ];
        for bits in 0..16 {
            let [clean, chinese, strip_accents, lowercase] = [1, 2, 4, 8].map(|bit| bits & bit > 0);
            let library = BertNormalizer::new(clean, chinese, Some(strip_accents), lowercase);
            let ours = Bert {
                clean,
                chinese,
                strip_accents,
                lowercase,
            };
            for text in samples {
                let mut expected = NormalizedString::from(text);
                library.normalize(&mut expected).unwrap();
                assert_eq!(
                    ours.apply(text).unwrap(),
                    expected.get(),
                    "{text:?} {ours:?}"
                );
            }
        }
    }
}
