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

/// A model's header, and what llama.cpp says of it.
struct Real {
    header: Header,
    tokenizer: Tokenizer,
    expected: Value,
    chats: usize,
    /// Tokens.
    vocab: u32,
}

/// Bytes that hold a header.
const PREFIX_BYTES: u64 = 16 << 20;

/// One that is always there, and in a full run the others.
fn models() -> impl Iterator<Item = &'static Real> {
    static SMOLLM2: LazyLock<Real> = LazyLock::new(|| {
        read(
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            include_str!("../../../tests/golden/smollm2-135m-instruct-q4_1/tokenizer.json"),
            8,
        )
    });
    static OTHERS: LazyLock<[Real; 2]> = LazyLock::new(|| {
        [
            read(
                "gemma-3-270m-q4_k_m.gguf",
                include_str!("../../../tests/golden/gemma3-270m-q4_k_m/tokenizer.json"),
                0,
            ),
            read(
                "qwen2.5-coder-0.5b-instruct-q4.gguf",
                include_str!("../../../tests/golden/qwen2.5-coder-0.5b-q4/tokenizer.json"),
                12,
            ),
        ]
    });
    let others: &[Real] = match std::env::var_os("PUNA_FULL") {
        Some(_) => &*OTHERS,
        None => &[],
    };
    std::iter::once(&*SMOLLM2).chain(others)
}

fn read(file: &str, golden: &str, chats: usize) -> Real {
    let folder = std::env::var_os("PUNA_MODELS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models"),
        PathBuf::from,
    );
    let path = folder.join(file);
    let file = File::open(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; `cargo xtask model --all` fetches it, or set PUNA_MODELS to the folder that holds it",
            path.display()
        )
    });
    let mut prefix = Vec::new();
    file.take(PREFIX_BYTES).read_to_end(&mut prefix).unwrap();
    let header = match Header::from_gguf(&prefix).unwrap() {
        Parsed::Done(header) => header,
        Parsed::NeedMore { at_least } => panic!("the header has {at_least} bytes and more"),
    };
    let expected: Value = serde_json::from_str(golden).unwrap();
    Real {
        tokenizer: Tokenizer::from_gguf(&header.metadata).unwrap(),
        header,
        chats,
        vocab: u32::try_from(expected["n_vocab"].as_u64().unwrap()).unwrap(),
        expected,
    }
}

impl Real {
    fn cases(&self, key: &str, count: usize) -> &[Value] {
        let cases = self.expected[key].as_array().unwrap();
        assert_eq!(cases.len(), count, "cases under {key:?}");
        cases
    }
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn unhex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len() / 2)
        .map(|ix| u8::from_str_radix(&digits[2 * ix..2 * ix + 2], 16).unwrap())
        .collect()
}

#[test]
fn texts_have_the_ids_of_llama_cpp() {
    for model in models() {
        for case in model.cases("cases", 57) {
            let text = case["text"].as_str().unwrap();
            let plain = ids(&case["ids"]);
            let parsed = case.get("ids_parse_special").map_or(plain.clone(), ids);
            let added = case.get("ids_add_special").map_or(parsed.clone(), ids);
            let encode = |special| model.tokenizer.encode(text, special).unwrap();
            assert_eq!(encode(Special::AsText), plain, "{text:?} as text");
            assert_eq!(encode(Special::Parse), parsed, "{text:?} parsed");
            let document = model
                .tokenizer
                .encode_document(text, Special::Parse)
                .unwrap();
            assert_eq!(document, added, "{text:?} as a document");
        }
    }
}

#[test]
fn ids_come_back_as_text_at_once_and_in_a_stream() {
    for model in models() {
        for case in model.cases("cases", 57) {
            let text = case["text"].as_str().unwrap();
            let bytes = case
                .get("decoded_hex")
                .map_or(text.as_bytes().to_vec(), unhex);
            let expected = String::from_utf8_lossy(&bytes);
            let ids = ids(&case["ids"]);
            assert_eq!(model.tokenizer.decode(&ids), expected, "at once");
            let mut stream = model.tokenizer.decode_stream();
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
}

#[test]
fn chats_are_rendered_and_encoded_as_by_llama_cpp() {
    for model in models() {
        let template = ChatTemplate::for_model(&model.header, &model.tokenizer, None).unwrap();
        for case in model.cases("chats", model.chats) {
            let message = |message: &Value| {
                let fields = message.as_object().unwrap();
                let role = Role::from_name(message["role"].as_str().unwrap()).unwrap();
                let others = fields
                    .iter()
                    .filter(|(key, _)| !["role", "content"].contains(&key.as_str()));
                Message {
                    fields: others
                        .map(|(key, value)| (key.clone(), value.clone()))
                        .collect(),
                    ..Message::new(role, message["content"].as_str().unwrap())
                }
            };
            let list = |key: &str| case[key].as_array().cloned().unwrap_or_default();
            let messages: Vec<Message> = list("messages").iter().map(message).collect();
            let prompt = Prompt {
                messages: &messages,
                add_generation_prompt: case["add_generation_prompt"].as_bool().unwrap(),
                tools: &list("tools"),
                ..Prompt::default()
            };
            let rendered = template.render(&prompt).unwrap();
            assert_eq!(rendered, case["rendered"].as_str().unwrap(), "rendered");
            let encoded = model.tokenizer.encode(&rendered, Special::Parse).unwrap();
            assert_eq!(encoded, ids(&case["ids"]), "{rendered:?}");
        }
    }
}

#[test]
fn tokens_stand_for_the_bytes_that_llama_cpp_says() {
    for model in models() {
        for case in model.cases("pieces_hex", 800) {
            let id = u32::try_from(case[0].as_u64().unwrap()).unwrap();
            assert_eq!(
                model.tokenizer.piece(id),
                Some(&*unhex(&case[1])),
                "token {id}"
            );
        }
        assert_eq!(model.tokenizer.vocab_size(), model.vocab as usize, "tokens");
        assert_eq!(model.tokenizer.piece(model.vocab), None, "one more");
    }
}

#[test]
fn answers_end_where_llama_cpp_ends_them() {
    for model in models() {
        assert_eq!(
            model.tokenizer.end_of_generation(),
            ids(&model.expected["end_of_generation"]),
            "ids"
        );
        for id in 0..model.vocab {
            let expected = ids(&model.expected["end_of_generation"]).contains(&id);
            assert_eq!(
                model.tokenizer.is_end_of_generation(id),
                expected,
                "token {id}"
            );
        }
    }
}
