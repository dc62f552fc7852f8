//! Pre-tokenizers of GGUFs: how text is cut into words before merges are applied, a line each.
//!
//! A GGUF names its pre-tokenizer in `tokenizer.ggml.pre`; the expressions behind a name are those that
//! the model was trained with, from its `tokenizer.json`, or llama.cpp's where there is none. Each
//! expression cuts the pieces which the one before it left.

use super::regex::Pattern;
use super::splitter::Splitter;
use crate::{Error, Result};

/// What a name in `tokenizer.ggml.pre` stands for.
pub(super) struct PreTokenizer {
    /// The names.
    names: &'static [&'static str],
    /// Applied in turn; what one does not match stays a piece of its own.
    expressions: &'static [&'static str],
    /// A word that is in the vocabulary is that token, whatever the merges say.
    pub(super) ignore_merges: bool,
    /// Whether a text begins with BOS where the file does not say.
    pub(super) add_bos: bool,
}

const DIGIT: &str = r"\p{N}";
const DIGITS: &str = r"\p{N}+";
const UP_TO_3_DIGITS: &str = r"\p{N}{1,3}";
const ASCII_DIGITS_3: &str = "[0-9][0-9][0-9]";
const LINE_BREAK: &str = r"[\r\n]";
const LINES: &str = r"[^\n]+|[\n]+";
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN35: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const MINICPM5: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const SEED: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+";
const BAILING: &str = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";
const EXAONE_MOE: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+";
const JAIS2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}";
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const GPT4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const YOUTU: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const YOUTU_SCRIPTS: &str = "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+";
const DEEPSEEK_LETTERS: &str = r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+";
const DEEPSEEK_PUNCTUATION: &str = r"\s?[!-/:-~！-／：-～‘-‟\x{3000}-。]+";
const DEEPSEEK_CJK: &str = r"[一-龥\x{800}-一가-\x{d7ff}]+";
const DEEPSEEK3_CJK: &str = r"[一-龥\x{3040}-ゟ゠-ヿ]+";
const DEEPSEEK3: &str = r##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##;
const BLOOM: &str = r" ?[^(\s|.,!?…。，、।۔،)]+";
const PUNCTUATION: &str = r"[\p{P}$+<=>^~|]+";
const FALCON_PUNCTUATION: &str = r"[\p{P}$+<=>^~|`]+";
const THOUSANDS: &str = r"\d{1,3}(?=(?:\d{3})*\b)";

/// The registry. `default` is what llama.cpp takes for files that do not say.
const ALL: &[PreTokenizer] = &[
    row(
        &[
            "llama-bpe",
            "llama3",
            "llama-v3",
            "falcon3",
            "falcon-h1",
            "pixtral",
            "midm-2.0",
            "lfm2",
            "jina-v5-nano",
        ],
        &[LLAMA3],
    )
    .ignoring_merges()
    .with_bos(),
    row(&["dbrx", "smaug-bpe", "glm4", "chatglm-bpe"], &[LLAMA3]),
    row(
        &[
            "qwen2",
            "deepseek-r1-qwen",
            "stablelm2",
            "hunyuan",
            "solar-open",
            "megrez",
            "kormo",
            "f2llmv2",
            "grok-2",
        ],
        &[QWEN2],
    ),
    row(&["qwen35"], &[QWEN35]),
    row(
        &["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
        &[GPT4O],
    ),
    row(&["granite-embed-multi-97m"], &[GPT4O]).ignoring_merges(),
    row(&["tekken"], &[TEKKEN]).ignoring_merges().with_bos(),
    row(
        &["deepseek-llm"],
        &[
            LINE_BREAK,
            DEEPSEEK_LETTERS,
            DEEPSEEK_PUNCTUATION,
            r"\s+$",
            DEEPSEEK_CJK,
            DIGITS,
        ],
    ),
    row(
        &["deepseek-coder"],
        &[LINE_BREAK, r"\s?\p{L}+", r"\s?\p{P}+", DEEPSEEK_CJK, DIGIT],
    ),
    row(
        &["deepseek-v3", "hunyuan-dense", "joyai-llm"],
        &[UP_TO_3_DIGITS, DEEPSEEK3_CJK, DEEPSEEK3],
    ),
    row(
        &[
            "gpt-2",
            "phi-2",
            "mpt",
            "olmo",
            "jais",
            "trillion",
            "granite-docling",
            "exaone4",
            "gigachat",
            "a.x-4.0",
            "mellum",
            "modern-bert",
            "jina-es",
            "jina-de",
            "jina-v2-es",
            "jina-v2-de",
            "jina-v1-en",
            "jina-v2-code",
            "roberta-bpe",
        ],
        &[GPT2],
    ),
    row(
        &[
            "smollm",
            "starcoder",
            "refact",
            "command-r",
            "codeshell",
            "exaone",
            "minerva-7b",
            "mellum2",
        ],
        &[DIGIT, GPT2],
    ),
    row(&["falcon"], &[FALCON_PUNCTUATION, GPT2, ASCII_DIGITS_3]),
    row(&["bloom", "poro-chat", "gpt3-finnish"], &[BLOOM]),
    row(&["viking"], &[BLOOM, DIGIT]),
    row(&["bailingmoe", "bailingmoe2", "llada-moe"], &[BAILING]),
    row(&["seed-coder"], &[SEED]),
    row(&["exaone-moe"], &[EXAONE_MOE]),
    row(&["jais-2"], &[JAIS2]),
    row(&["tiny_aya", "cohere2moe"], &[THOUSANDS, GPT4O]),
    row(&["minicpm5"], &[UP_TO_3_DIGITS, MINICPM5]).ignoring_merges(),
    row(&["superbpe"], &[DIGITS, r"(?=(\d{3})+(?!\d))"]),
    row(&["laguna"], &[LINES, QWEN2]),
    row(&["youtu"], &[YOUTU_SCRIPTS, YOUTU]).ignoring_merges(),
    row(&["default"], &[PUNCTUATION, GPT2, DIGITS, ASCII_DIGITS_3]),
];

const fn row(names: &'static [&'static str], expressions: &'static [&'static str]) -> PreTokenizer {
    PreTokenizer {
        names,
        expressions,
        ignore_merges: false,
        add_bos: false,
    }
}

/// The expression of GPT-2, which `tokenizer.json` has a name for.
pub(super) fn gpt2() -> Result<Splitter> {
    expression(GPT2).map(Splitter::isolate)
}

/// An expression that is written in the code.
pub(super) fn expression(source: &str) -> Result<Pattern> {
    Pattern::expression(source).map_err(|error| Error::internal(format!("pre-tokenizer: {error}")))
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

impl PreTokenizer {
    const fn ignoring_merges(mut self) -> Self {
        self.ignore_merges = true;
        self
    }

    const fn with_bos(mut self) -> Self {
        self.add_bos = true;
        self
    }

    /// What it does to a text, the alphabet of bytes last.
    pub(super) fn splitters(&self) -> Result<Vec<Splitter>> {
        let bytes = Splitter::Bytes {
            prefix_space: false,
        };
        let steps = self
            .expressions
            .iter()
            .map(|source| expression(source).map(Splitter::isolate));
        steps.chain([Ok(bytes)]).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::Value;

    use super::super::regex::Work;
    use super::super::{bytes, splitter};
    use super::*;

    /// Words by another engine: `tests/golden/README.md`.
    const GOLDEN: &str = include_str!("../../../../tests/golden/tokenizers/pre-tokenizers.json");

    /// All that the registry has.
    pub(in crate::tokenizer) fn expressions() -> impl Iterator<Item = &'static str> {
        ALL.iter().flat_map(|row| row.expressions).copied()
    }

    fn words(steps: &[Splitter], text: &str) -> Vec<String> {
        let mut words = Vec::new();
        splitter::split(steps, text, true, &Work::of(text.len()), &mut |word| {
            let mut bytes = Vec::new();
            bytes::read(word, &mut bytes).unwrap();
            words.push(String::from_utf8(bytes).unwrap());
            Ok(())
        })
        .unwrap();
        words
    }

    #[test]
    fn every_name_cuts_as_another_engine_does() {
        let golden: Value = serde_json::from_str(GOLDEN).unwrap();
        let texts = golden["texts"].as_array().unwrap();
        let mut compared = 0;
        for name in ALL.iter().flat_map(|row| row.names) {
            let steps = find(name).unwrap().splitters().unwrap();
            let expected = golden["words"][*name].as_array();
            let expected = expected.unwrap_or_else(|| panic!("no words for {name}"));
            for (text, expected) in texts.iter().zip(expected) {
                let text = text.as_str().unwrap();
                let expected: Vec<&str> = expected
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|word| word.as_str().unwrap())
                    .collect();
                assert_eq!(words(&steps, text), expected, "{name} on {text:?}");
                compared += 1;
            }
        }
        assert!(compared > 700, "{compared} compared");
    }

    #[test]
    fn a_long_run_is_cut_in_one_pass() {
        let spaces = " ".repeat(200_000);
        let text = format!("{spaces}x");
        for name in ["llama-bpe", "smollm", "gpt-4o", "tekken", "deepseek-v3"] {
            let steps = find(name).unwrap().splitters().unwrap();
            assert_eq!(words(&steps, &text), [&spaces[1..], " x"], "{name}");
        }
    }

    #[test]
    fn no_run_of_a_character_makes_an_expression_give_up() {
        for row in ALL {
            let steps = row.splitters().unwrap();
            for character in [' ', '\n', '\t', 'a', 'A', '1', '!', '中', '\u{301}', '😀'] {
                let text: String = std::iter::repeat_n(character, 2000).collect();
                assert_eq!(
                    words(&steps, &text).concat(),
                    text,
                    "{:?}: {character:?}",
                    row.names
                );
            }
        }
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
