//! Small vocabularies of every kind, from a GGUF's metadata and from a `tokenizer.json`, against the ids of
//! llama.cpp and of Hugging Face's `tokenizers`.

use std::path::Path;

use puna_core::tokenizer::{JsonFiles, Special, TokenKind, Tokenizer};
use puna_core::weights::header::{Header, Parsed};
use serde_json::Value;

const TEXTS: usize = 66;

/// `tests/golden/tokenizers/vocab/FILE`.
fn golden(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/tokenizers/vocab");
    std::fs::read(folder.join(file)).expect("the golden file is in the tree")
}

/// What others say about a vocabulary; a text whose ids are those of the column before is null.
struct Golden {
    name: &'static str,
    all: Value,
}

impl Golden {
    fn read(name: &'static str) -> Self {
        let all = serde_json::from_slice(&golden("ids.json")).expect("JSON");
        Self { name, all }
    }

    fn texts(&self) -> Vec<&str> {
        let texts = self.all["texts"].as_array().unwrap().iter();
        texts.map(|text| text.as_str().unwrap()).collect()
    }

    fn column(&self, key: &str, before: Option<&[Vec<u32>]>) -> Vec<Vec<u32>> {
        let column = self.all["models"][self.name][key].as_array().unwrap();
        assert_eq!(column.len(), TEXTS, "texts under {key}");
        let ids = |(ix, value): (usize, &Value)| match before {
            Some(before) if value.is_null() => before[ix].clone(),
            _ => serde_json::from_value(value.clone()).unwrap(),
        };
        column.iter().enumerate().map(ids).collect()
    }

    #[track_caller]
    fn check(&self, tokenizer: &Tokenizer, special: Special, expected: &[Vec<u32>]) {
        for (text, expected) in self.texts().iter().zip(expected) {
            let got = tokenizer.encode(text, special).unwrap();
            assert_eq!(got, *expected, "{} {special:?}: {text:?}", self.name);
        }
    }
}

fn from_gguf(name: &str) -> Tokenizer {
    let Parsed::Done(header) = Header::from_gguf(&golden(&format!("{name}.gguf"))).unwrap() else {
        panic!("the header is whole");
    };
    Tokenizer::from_gguf(&header.metadata).unwrap()
}

fn from_json(name: &str) -> Tokenizer {
    Tokenizer::from_json(&JsonFiles {
        tokenizer: &golden(&format!("{name}.json")),
        ..JsonFiles::default()
    })
    .unwrap()
}

/// Ids of either file, with special tokens found and not; text of the second.
#[track_caller]
fn check(name: &'static str) {
    let golden = Golden::read(name);
    let tokenizer = from_gguf(name);
    let mut plain = golden.column("gguf", None);
    let mut parsed = golden.column("gguf_parsed", Some(&plain));
    let json = golden.column("json", Some(&parsed));
    let is_other = |c: char| ('가'..='힣').contains(&c) || c == '\u{20e3}';
    for (ix, text) in golden.texts().iter().enumerate() {
        // To strip accents, llama.cpp keeps the first letter alone of each Hangul syllable, and drops marks
        // that enclose; `tokenizers`, with which such models are trained, keeps both.
        if name == "bert" && text.contains(is_other) {
            (plain[ix], parsed[ix]) = (json[ix].clone(), json[ix].clone());
        }
    }
    golden.check(&tokenizer, Special::AsText, &plain);
    golden.check(&tokenizer, Special::Parse, &parsed);

    let tokenizer = from_json(name);
    let parsed = json;
    let plain = golden.column("json_as_text", Some(&parsed));
    golden.check(&tokenizer, Special::Parse, &parsed);
    golden.check(&tokenizer, Special::AsText, &plain);
    let document: Option<Vec<u32>> =
        serde_json::from_value(golden.all["models"][name]["json_document"].clone()).unwrap();
    let got = tokenizer.encode_document(golden.texts()[3], Special::Parse);
    assert_eq!(
        got.unwrap(),
        document.unwrap_or_else(|| parsed[3].clone()),
        "a document"
    );

    let decoded = golden.all["models"][name]["json_decoded"]
        .as_array()
        .unwrap();
    for ((text, ids), decoded) in golden.texts().iter().zip(&parsed).zip(decoded) {
        let is_unknown = |id: &u32| tokenizer.kind(*id) == Some(TokenKind::Unknown);
        // The other side prints what the model does not know, where that is no special token.
        if !ids.iter().any(is_unknown) {
            let expected = decoded.as_str().unwrap_or(text);
            assert_eq!(tokenizer.decode(ids), expected, "{name}: {text:?} back");
        }
    }
}

#[test]
fn sentencepiece_with_a_space_in_front() {
    check("llama-mha");
}

#[test]
fn sentencepiece_without_a_space_in_front() {
    check("gemma3");
}

#[test]
fn sentencepiece_with_tokens_that_take_white_space() {
    check("phi3");
}

#[test]
fn byte_pairs_of_each_family() {
    for name in ["deepseek-v2", "deepseek-v3", "qwen3", "olmo2", "llama4"] {
        check(name);
    }
}

#[test]
fn wordpiece() {
    check("bert");
    let document = from_gguf("bert")
        .encode_document("a", Special::AsText)
        .unwrap();
    assert_eq!((document[0], document[2]), (2, 3), "CLS and SEP");
}

#[test]
fn unigram_with_replacements() {
    check("t5");
    let document = from_gguf("t5")
        .encode_document("a", Special::AsText)
        .unwrap();
    assert_eq!(document.last(), Some(&1), "EOS");
}

#[test]
fn answers_begin_without_the_tokenizers_own_space() {
    for tokenizer in [from_gguf("llama-mha"), from_json("llama-mha")] {
        let ids = tokenizer.encode("a b", Special::AsText).unwrap();
        assert_eq!(tokenizer.decode(&ids), "a b", "at once");
        let mut stream = tokenizer.decode_stream();
        let text: String = ids.iter().filter_map(|id| stream.push(*id)).collect();
        assert_eq!(text, "a b", "in a stream");
        let ids = tokenizer.encode("  a", Special::AsText).unwrap();
        assert_eq!(tokenizer.decode(&ids), "  a", "no more than its own");
    }
}

#[test]
fn both_files_agree_on_what_tokens_are() {
    for name in ["llama-mha", "phi3", "deepseek-v3", "qwen3"] {
        let (header, json) = (from_gguf(name), from_json(name));
        // A GGUF's rows are filled up to a round number.
        for id in 0..u32::try_from(json.vocab_size()).unwrap() {
            let filler = [Some(TokenKind::Unused), None].contains(&header.kind(id));
            if !filler {
                assert_eq!(header.piece(id), json.piece(id), "{name}: token {id}");
            }
            // Converters call the unknown token structure.
            if !filler && json.kind(id) != Some(TokenKind::Unknown) {
                assert_eq!(header.kind(id), json.kind(id), "{name}: token {id}");
            }
        }
        assert_eq!(
            header.end_of_generation(),
            json.end_of_generation(),
            "{name}: ends"
        );
    }
}
