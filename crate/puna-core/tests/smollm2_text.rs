//! The tokenizer and the chat template of a real model, against what llama.cpp makes of the same file.
//!
//! The model is not part of the repository: these tests fail without it and say how to get it.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use puna_core::chat::{ChatTemplate, Message, Prompt, Role};
use puna_core::tokenizer::{Special, Tokenizer};
use puna_core::weights::header::{Header, Parsed};
use serde_json::Value;

const MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
const GOLDEN: &str =
    include_str!("../../../tests/golden/smollm2-135m-instruct-q4_1/tokenizer.json");

/// Bytes that hold the header; the file has 98 MB.
const PREFIX_BYTES: u64 = 4 << 20;

static GGUF: LazyLock<Header> = LazyLock::new(|| {
    let folder = std::env::var_os("PUNA_MODELS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models"),
        PathBuf::from,
    );
    let path = folder.join(MODEL);
    let file = File::open(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo xtask model` to fetch it, or set PUNA_MODELS to the folder that holds it",
            path.display()
        )
    });
    let mut prefix = Vec::new();
    file.take(PREFIX_BYTES).read_to_end(&mut prefix).unwrap();
    match Header::from_gguf(&prefix).unwrap() {
        Parsed::Done(header) => header,
        Parsed::NeedMore { at_least } => panic!("the header has {at_least} bytes and more"),
    }
});
static TOKENIZER: LazyLock<Tokenizer> =
    LazyLock::new(|| Tokenizer::from_gguf(&GGUF.metadata).unwrap());
static EXPECTED: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(GOLDEN).unwrap());

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn cases(key: &str, count: usize) -> &'static [Value] {
    let cases = EXPECTED[key].as_array().unwrap();
    assert_eq!(cases.len(), count, "cases under {key:?}");
    cases
}

fn unhex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len() / 2)
        .map(|ix| u8::from_str_radix(&digits[2 * ix..2 * ix + 2], 16).unwrap())
        .collect()
}

#[test]
fn texts_have_the_ids_of_llama_cpp() {
    for case in cases("cases", 57) {
        let text = case["text"].as_str().unwrap();
        let plain = ids(&case["ids"]);
        let parsed = case.get("ids_parse_special").map_or(plain.clone(), ids);
        let added = case.get("ids_add_special").map_or(parsed.clone(), ids);
        let encode = |special| TOKENIZER.encode(text, special).unwrap();
        assert_eq!(encode(Special::AsText), plain, "{text:?} as text");
        assert_eq!(encode(Special::Parse), parsed, "{text:?} parsed");
        let document = TOKENIZER.encode_document(text, Special::Parse).unwrap();
        assert_eq!(document, added, "{text:?} as a document");
    }
}

#[test]
fn ids_come_back_as_text_at_once_and_in_a_stream() {
    for case in cases("cases", 57) {
        let text = case["text"].as_str().unwrap();
        let bytes = case
            .get("decoded_hex")
            .map_or(text.as_bytes().to_vec(), unhex);
        let expected = String::from_utf8_lossy(&bytes);
        let ids = ids(&case["ids"]);
        assert_eq!(TOKENIZER.decode(&ids), expected, "at once");
        let mut stream = TOKENIZER.decode_stream();
        let mut streamed = String::new();
        for id in ids {
            let part = stream.push(id);
            assert_ne!(part.as_deref(), Some(""), "nothing is None");
            streamed.extend(part);
        }
        streamed.extend(stream.finish());
        assert_eq!(streamed, expected, "in a stream");
    }
}

#[test]
fn chats_are_rendered_and_encoded_as_by_llama_cpp() {
    let template = ChatTemplate::for_model(&GGUF, &TOKENIZER, None).unwrap();
    for case in cases("chats", 8) {
        let message = |message: &Value| {
            let role = Role::from_name(message["role"].as_str().unwrap()).unwrap();
            Message::new(role, message["content"].as_str().unwrap())
        };
        let messages: Vec<Message> = case["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(message)
            .collect();
        let prompt = case["add_generation_prompt"].as_bool().unwrap();
        let prompt = Prompt {
            messages: &messages,
            add_generation_prompt: prompt,
            ..Prompt::default()
        };
        let rendered = template.render(&prompt).unwrap();
        assert_eq!(rendered, case["rendered"].as_str().unwrap(), "rendered");
        let encoded = TOKENIZER.encode(&rendered, Special::Parse).unwrap();
        assert_eq!(encoded, ids(&case["ids"]), "{rendered:?}");
    }
}

#[test]
fn tokens_stand_for_the_bytes_that_llama_cpp_says() {
    for case in cases("pieces_hex", 800) {
        let id = u32::try_from(case[0].as_u64().unwrap()).unwrap();
        assert_eq!(TOKENIZER.piece(id), Some(&*unhex(&case[1])), "token {id}");
    }
    assert_eq!(TOKENIZER.vocab_size(), 49152, "tokens");
    assert_eq!(TOKENIZER.piece(49152), None, "one more");
}

#[test]
fn answers_end_where_llama_cpp_ends_them() {
    assert_eq!(
        TOKENIZER.end_of_generation(),
        ids(&EXPECTED["end_of_generation"]),
        "ids"
    );
    for id in 0..49152 {
        let expected = [0, 2, 4].contains(&id);
        assert_eq!(TOKENIZER.is_end_of_generation(id), expected, "token {id}");
    }
}
