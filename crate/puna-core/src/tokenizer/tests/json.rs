//! `tokenizer.json` files that are wrong or unusual, and what they get.

use serde_json::{Value, json};

use crate::tokenizer::{JsonFiles, Special, Tokenizer};
use crate::{ErrorCode, Result};

/// Letters a, b, c; three merges; `<e>` is structure, `[u]` is not.
fn small() -> Value {
    json!({
        "version": "1.0",
        "added_tokens": [
            { "id": 6, "content": "<e>", "special": true },
            { "id": 7, "content": "[u]", "special": false, "normalized": true },
        ],
        "normalizer": null,
        "pre_tokenizer": null,
        "post_processor": null,
        "decoder": { "type": "ByteLevel" },
        "model": {
            "type": "BPE",
            "vocab": { "a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4, "abc": 5 },
            "merges": ["a b", ["b", "c"], "ab c"],
        },
    })
}

/// The small file with another value at a place.
fn with(pointer: &str, value: Value) -> Value {
    let mut file = small();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    file.pointer_mut(parent).unwrap()[key] = value;
    file
}

fn load(file: &Value) -> Result<Tokenizer> {
    load_with(file, JsonFiles::default())
}

fn load_with(file: &Value, files: JsonFiles<'_>) -> Result<Tokenizer> {
    Tokenizer::from_json(&JsonFiles {
        tokenizer: file.to_string().as_bytes(),
        ..files
    })
}

#[track_caller]
fn fails(file: &Value, code: ErrorCode, says: &str) {
    let error = load(file).expect_err(says);
    assert_eq!(error.code(), code, "{error}");
    let message = error.message();
    assert!(message.contains(says), "{error} should say {says:?}");
}

#[track_caller]
fn bad(file: &Value, says: &str) {
    fails(file, ErrorCode::BadModelFile, says);
}

#[track_caller]
fn unsupported(file: &Value, says: &str) {
    fails(file, ErrorCode::UnsupportedModel, says);
}

#[track_caller]
fn ids(file: &Value, text: &str, special: Special) -> Vec<u32> {
    load(file).unwrap().encode(text, special).unwrap()
}

#[test]
fn merges_are_pairs_or_lines_and_tokens_are_found_as_a_whole() {
    assert_eq!(ids(&small(), "abcab", Special::AsText), [5, 3], "abc, ab");
    assert_eq!(ids(&small(), "a<e>b", Special::Parse), [0, 6, 1], "parsed");
    assert_eq!(ids(&small(), "a[u]b", Special::AsText), [0, 7, 1], "always");
    // What is in no token is left out, as the library does; its neighbours merge.
    assert_eq!(ids(&small(), "a!b", Special::AsText), [3], "ab");
}

#[test]
fn a_normalized_token_is_found_in_the_normalized_text() {
    let mut file = with("/normalizer", json!({ "type": "Lowercase" }));
    file["added_tokens"][1]["content"] = json!("[U]");
    assert_eq!(
        ids(&file, "A[U]b[u]", Special::AsText),
        [0, 7, 1, 7],
        "either"
    );
    file["added_tokens"][1]["normalized"] = json!(false);
    assert_eq!(
        ids(&file, "A[U]b[u]", Special::AsText),
        [0, 7, 1],
        "as written"
    );
}

#[test]
fn files_beside_it_name_the_tokens_that_begin_and_end() {
    let load = |files| load_with(&small(), files).unwrap();
    let config = br#"{"bos_token": {"__type": "AddedToken", "content": "<e>"}, "eos_token": "c", "add_bos_token": true, "add_eos_token": true}"#;
    let files = JsonFiles {
        tokenizer_config: Some(config),
        ..JsonFiles::default()
    };
    let tokenizer = load(files);
    assert_eq!(
        (&*tokenizer.bos_text(), &*tokenizer.eos_text()),
        ("<e>", "c"),
        "names"
    );
    let document = tokenizer.encode_document("ab", Special::AsText).unwrap();
    assert_eq!(document, [6, 3, 2], "both are added");
    assert_eq!(tokenizer.end_of_generation(), [2], "the named one");
    let tokenizer = load(JsonFiles {
        tokenizer_config: Some(b"{\"bos_token\": null}"),
        special_tokens_map: Some(br#"{"eos_token": "<e>"}"#),
        generation_config: Some(br#"{"eos_token_id": [4, 1]}"#),
        ..files
    });
    assert_eq!(tokenizer.end_of_generation(), [1, 4, 6], "from two files");
    assert_eq!(tokenizer.eos_text(), "<e>", "from the map");
    let tokenizer = load(JsonFiles {
        generation_config: Some(br#"{"eos_token_id": 3}"#),
        ..JsonFiles::default()
    });
    assert_eq!(tokenizer.eos_text(), "ab", "from the generation's");
}

#[test]
fn flags_take_a_framing_token_away() {
    let template = json!({
        "type": "TemplateProcessing",
        "single": [{ "SpecialToken": { "id": "<e>", "type_id": 0 } }, { "Sequence": { "id": "A", "type_id": 0 } }],
        "special_tokens": { "<e>": { "id": "<e>", "ids": [6], "tokens": ["<e>"] } },
    });
    let file = with("/post_processor", template);
    let framed = load(&file).unwrap().encode_document("a", Special::AsText);
    assert_eq!(framed.unwrap(), [6, 0], "the post-processor asks for it");
    let config = br#"{"bos_token": "<e>", "add_bos_token": false}"#;
    let bare = load_with(
        &file,
        JsonFiles {
            tokenizer_config: Some(config),
            ..JsonFiles::default()
        },
    );
    assert_eq!(
        bare.unwrap().encode_document("a", Special::AsText).unwrap(),
        [0],
        "it does not"
    );
}

#[test]
fn malformed_files_are_refused_with_the_place() {
    let file = |text: &str| {
        let files = JsonFiles {
            tokenizer: text.as_bytes(),
            ..JsonFiles::default()
        };
        Tokenizer::from_json(&files)
            .expect_err("it is wrong")
            .message()
    };
    assert!(file("").contains("tokenizer.json: EOF"), "{}", file(""));
    assert!(
        file("{\"added_tokens\": 3}").contains("expected an array of added tokens"),
        "typed"
    );
    assert!(
        file("{\n}").contains("missing field `model` at line 2"),
        "{}",
        file("{\n}")
    );
    let deep = format!("{{\"normalizer\": {}{}}}", "[".repeat(200), "]".repeat(200));
    assert!(
        file(&format!("{{\"model\": {{\"vocab\": {deep}}}}}")).contains("expected u32"),
        "typed"
    );
    bad(&with("/model/vocab", json!("x")), "expected a vocabulary");
    bad(&with("/model/vocab/a", json!(-1)), "expected u32");
    bad(
        &with("/model/vocab/a", json!(1 << 30)),
        "\"a\" has the id 1073741824; ids below 1048576",
    );
    bad(
        &with("/added_tokens", json!([{ "id": u32::MAX, "content": "x" }])),
        "ids below",
    );
    bad(&with("/model/merges", json!(["a  b"])), "is no merge");
    bad(&with("/model/merges", json!([["a"]])), "two tokens");
    bad(
        &with("/model/merges", json!([["a", "x"]])),
        "model.merges[0] is [\"a\", \"x\"]: one of the two",
    );
    bad(
        &with("/model/merges", json!([["c", "a"]])),
        "the result is not",
    );
    bad(
        &with("/model/unk_token", json!("<unk>")),
        "\"<unk>\", which is not in the vocabulary",
    );
    bad(
        &with("/normalizer", json!({})),
        "normalizer.type: a string expected, got null",
    );
    bad(
        &with("/normalizer", json!({ "type": "Replace", "content": "x" })),
        "\"String\" or \"Regex\"",
    );
    bad(
        &with(
            "/pre_tokenizer",
            json!({ "type": "Sequence", "pretokenizers": 1 }),
        ),
        "pre_tokenizer.pretokenizers: an array expected",
    );
    let split = json!({ "type": "Split", "pattern": { "String": " " }, "behavior": "isolated" });
    bad(
        &with("/pre_tokenizer", split),
        "pre_tokenizer.behavior: \"Removed\"",
    );
    bad(
        &with(
            "/decoder",
            json!({ "type": "Metaspace", "replacement": "ab" }),
        ),
        "decoder.replacement: one character",
    );
    let frame = json!({ "type": "BertProcessing", "sep": ["x", 99], "cls": ["x", 0] });
    bad(
        &with("/post_processor", frame),
        "names the token 99; the vocabulary has 8",
    );
    let map = json!({ "type": "Precompiled", "precompiled_charsmap": "AAAA*" });
    bad(&with("/normalizer", map), "base64");
}

#[test]
fn what_is_not_supported_is_named() {
    unsupported(
        &with("/model/type", json!("WordLevel")),
        "the model \"WordLevel\"",
    );
    unsupported(
        &with("/model/end_of_word_suffix", json!("</w>")),
        "end_of_word_suffix",
    );
    unsupported(
        &with("/normalizer", json!({ "type": "Magic" })),
        "normalizer: the normalizer \"Magic\"",
    );
    unsupported(&with("/decoder", json!({ "type": "CTC" })), "\"CTC\"");
    let grows = json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "aa" });
    unsupported(&with("/decoder", grows), "something longer");
    unsupported(&with("/post_processor", json!({ "type": "X" })), "\"X\"");
    let regex = json!({ "type": "Split", "pattern": { "Regex": "(" }, "behavior": "Isolated" });
    unsupported(
        &with("/pre_tokenizer", regex),
        "pattern.Regex: the expression \"(\"",
    );
    let many = json!({ "type": "Sequence", "normalizers": vec![json!({ "type": "NFC" }); 65] });
    unsupported(&with("/normalizer", many), "more than 64 steps");
    bad(
        &with("/model/type", json!("Unigram")),
        "not of the form that Unigram has",
    );
}

#[test]
fn sizes_are_bounded() {
    let files = JsonFiles {
        tokenizer: &vec![b' '; (64 << 20) + 1],
        ..JsonFiles::default()
    };
    let error = Tokenizer::from_json(&files).expect_err("too large");
    assert!(error.message().contains("67108865 bytes"), "{error}");
    let long = json!({ "type": "Prepend", "prepend": "x".repeat(5 << 20) });
    bad(
        &with("/normalizer", long),
        "normalizer has 5242911 bytes; at most 4194304",
    );
    let config = vec![b' '; (64 << 20) + 1];
    let files = JsonFiles {
        generation_config: Some(&config),
        ..JsonFiles::default()
    };
    let error = load_with(&small(), files).expect_err("too large");
    assert!(
        error.message().contains("generation_config.json has"),
        "{error}"
    );
}

#[test]
fn a_text_that_would_grow_beyond_memory_is_an_error() {
    let double = json!({ "type": "Replace", "pattern": { "String": "a" }, "content": "aaaaaaaa" });
    let steps = json!({ "type": "Sequence", "normalizers": vec![double; 60] });
    let mut file = with("/normalizer", steps);
    file["added_tokens"] = json!([]);
    let error = load(&file).unwrap().encode("a", Special::AsText);
    assert!(
        error.expect_err("8^60 bytes").message().contains("bytes"),
        "bounded"
    );
    let long = "b".repeat((8 << 20) + 1);
    let error = load(&file).unwrap().encode(&long, Special::AsText);
    assert_eq!(
        error.expect_err("too long").code(),
        ErrorCode::ContextLengthExceeded,
        "a long text"
    );

    let prefix = json!({ "type": "Prepend", "prepend": "x".repeat(4_000_000) });
    let mut file = with("/normalizer", prefix);
    let added =
        (0..20).map(|id| json!({ "id": 6 + id, "content": format!("t{id}"), "normalized": true }));
    file["added_tokens"] = added.collect();
    bad(&file, "bytes of the added tokens");
}
