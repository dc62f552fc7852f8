//! A vocabulary of 384 tokens, against ids from elsewhere (`tests/golden/README.md`).

use serde_json::Value;

use crate::tokenizer::{Special, Tokenizer};
use crate::weights::header::{Header, Parsed};

const GGUF: &[u8] = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
const IDS: &str = include_str!("../../../../../tests/golden/llama-256/tokenizer.json");

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn tiny_vocabulary_gives_the_ids_of_another_tokenizer() {
    let Parsed::Done(header) = Header::from_gguf(GGUF).unwrap() else {
        panic!("the file is whole");
    };
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap();
    let golden: Value = serde_json::from_str(IDS).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let expected = ids(&case["ids_parse_special"]);
        let got = tokenizer.encode(text, Special::Parse).unwrap();
        assert_eq!(got, expected, "{text:?}");
        let expected = ids(case
            .get("ids_add_special")
            .unwrap_or(&case["ids_parse_special"]));
        let got = tokenizer.encode_document(text, Special::Parse).unwrap();
        assert_eq!(got, expected, "{text:?} as a document");
        let plain = tokenizer.encode(text, Special::AsText).unwrap();
        assert_eq!(tokenizer.decode(&plain), text, "there and back");
    }
    assert_eq!(cases.len(), 59, "cases that ran");
    assert_eq!(tokenizer.bos_text(), "<|begin_of_text|>", "its first token");
    assert_eq!(tokenizer.eos_text(), "<|end_of_text|>", "its last token");
    assert_eq!(
        tokenizer.end_of_generation(),
        [380, 383],
        "<|end_of_text|>, <|eot_id|>"
    );
}
