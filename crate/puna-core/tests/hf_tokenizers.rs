//! Published `tokenizer.json` files, against the ids of Hugging Face's `tokenizers` and the prompts of
//! `transformers`.
//!
//! The files are not part of the repository: these tests fail without them and say how to get them.

use std::path::{Path, PathBuf};

use puna_core::chat::{ChatTemplate, Message, Prompt, Role};
use puna_core::openai::{ChatRequest, TextRequest};
use puna_core::tokenizer::{JsonFiles, Special, TokenKind, Tokenizer};
use serde_json::Value;

/// A model's files and what others make of them.
struct Published {
    golden: Value,
    tokenizer: Vec<u8>,
    config: Vec<u8>,
}

impl Published {
    fn read(name: &str, golden: &str) -> Self {
        let folder = std::env::var_os("PUNA_MODELS").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models"),
            PathBuf::from,
        );
        let read = |file: &str| {
            let path = folder.join("tokenizers").join(name).join(file);
            std::fs::read(&path).unwrap_or_else(|error| {
                panic!(
                    "{}: {error}; run `cargo xtask tokenizers` to fetch it, or set PUNA_MODELS to the folder that holds it",
                    path.display()
                )
            })
        };
        Self {
            golden: serde_json::from_str(golden).unwrap(),
            tokenizer: read("tokenizer.json"),
            config: read("tokenizer_config.json"),
        }
    }

    /// With the file alone, or with its configuration.
    fn tokenizer(&self, is_configured: bool) -> Tokenizer {
        Tokenizer::from_json(&JsonFiles {
            tokenizer: &self.tokenizer,
            tokenizer_config: is_configured.then_some(&self.config),
            ..JsonFiles::default()
        })
        .unwrap()
    }
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap()
}

/// Ids and text of the 57 texts.
#[track_caller]
fn check(published: &Published) -> Tokenizer {
    let tokenizer = published.tokenizer(false);
    let size = published.golden["vocab_size"].as_u64();
    assert_eq!(u64::try_from(tokenizer.vocab_size()).ok(), size, "tokens");
    let cases = published.golden["cases"].as_array().unwrap();
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let expected = ids(&case["ids"]);
        let got = tokenizer.encode(text, Special::Parse).unwrap();
        assert_eq!(got, expected, "{text:?}");
        let with_special = case.get("ids_add_special").map_or(expected.clone(), ids);
        let got = tokenizer.encode_document(text, Special::Parse).unwrap();
        assert_eq!(got, with_special, "{text:?} as a document");
        // The other side's text has structure in it.
        let is_text = |id: &u32| {
            let kind = tokenizer.kind(*id);
            matches!(
                kind,
                Some(TokenKind::Normal | TokenKind::UserDefined | TokenKind::Byte)
            )
        };
        if expected.iter().all(is_text) {
            let decoded = case
                .get("decoded")
                .map_or(text, |text| text.as_str().unwrap());
            assert_eq!(tokenizer.decode(&expected), decoded, "{text:?} back");
        }
    }
    assert_eq!(cases.len(), 57, "cases that ran");
    tokenizer
}

/// Prompts and their ids of the 8 chats.
#[track_caller]
fn check_chats(published: &Published) {
    let tokenizer = published.tokenizer(true);
    let template = ChatTemplate::from_json(&published.config, None, &tokenizer).unwrap();
    let chats = published.golden["chats"].as_array().unwrap();
    for chat in chats {
        let message = |message: &Value| {
            let role = Role::from_name(message["role"].as_str().unwrap()).unwrap();
            Message::new(role, message["content"].as_str().unwrap())
        };
        let messages: Vec<Message> = chat["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(message)
            .collect();
        let prompt = chat["add_generation_prompt"].as_bool().unwrap();
        let prompt = Prompt {
            messages: &messages,
            add_generation_prompt: prompt,
            ..Prompt::default()
        };
        let rendered = template.render(&prompt).unwrap();
        assert_eq!(rendered, chat["rendered"].as_str().unwrap(), "rendered");
        let encoded = tokenizer.encode(&rendered, Special::Parse).unwrap();
        assert_eq!(encoded, ids(&chat["ids"]), "{rendered:?}");
    }
    assert_eq!(chats.len(), 8, "chats that ran");
}

/// Prompts of richer chats: tools, calls, thinking, documents.
#[track_caller]
fn check_rich_chats(name: &str, published: &Published) {
    let tokenizer = published.tokenizer(true);
    let template = ChatTemplate::from_json(&published.config, None, &tokenizer).unwrap();
    let chats: Value =
        serde_json::from_str(include_str!("../../../tests/golden/tokenizers/chats.json")).unwrap();
    let mut count = 0;
    for chat in chats
        .as_array()
        .unwrap()
        .iter()
        .filter(|chat| chat["name"] == name)
    {
        let message = |value: &Value| {
            let role = Role::from_name(value["role"].as_str().unwrap()).unwrap();
            let mut message = Message::new(role, "");
            message.fields = value.as_object().unwrap().clone();
            message
        };
        let messages: Vec<Message> = chat["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(message)
            .collect();
        let list = |key: &str| {
            chat.get(key)
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default()
        };
        let got = template.render(&Prompt {
            messages: &messages,
            add_generation_prompt: chat.get("add_generation_prompt").is_none(),
            tools: &list("tools"),
            documents: &list("documents"),
            variables: chat.as_object(),
        });
        match chat.get("rendered") {
            Some(rendered) => assert_eq!(got.unwrap(), rendered.as_str().unwrap(), "{chat}"),
            None => assert!(got.is_err(), "{} in {chat}", chat["error"]),
        }
        count += 1;
    }
    assert_eq!(count, 10, "chats that ran");
}

/// The prompt of a chat with a tool, its call and its result, as the published template makes it.
fn called(published: &Published) -> String {
    let tokenizer = published.tokenizer(true);
    let template = ChatTemplate::from_json(&published.config, None, &tokenizer).unwrap();
    let call = r#"{ "id": "abcdefghi", "type": "function", "function": { "name": "f", "arguments": "{\"a\": 1}" } }"#;
    let request = format!(
        r#"{{
            "messages": [
                {{ "role": "system", "content": "Be brief." }},
                {{ "role": "user", "content": "Hi" }},
                {{ "role": "assistant", "content": null, "tool_calls": [{call}] }},
                {{ "role": "tool", "tool_call_id": "abcdefghi", "content": "found" }}
            ],
            "tools": [{{ "type": "function", "function": {{ "name": "f", "parameters": {{ "type": "object" }} }} }}]
        }}"#
    );
    let request = TextRequest::Chat(ChatRequest::parse(&request).unwrap());
    let choices = request.choices(&template, &tokenizer, 4096, 0).unwrap();
    tokenizer.decode(&choices[0].generate.prompt)
}

macro_rules! published {
    ($name:ident) => {
        Published::read(
            stringify!($name),
            include_str!(concat!(
                "../../../tests/golden/tokenizers/",
                stringify!($name),
                ".json"
            )),
        )
    };
}

#[test]
fn gemma_is_told_of_tools_by_words_that_its_template_takes() {
    let prompt = called(&published!(gemma3));
    let turns: Vec<_> = [
        "Be brief.\n\nYou can call functions.",
        "[{\"name\":\"f\",",
        "Hi",
        "[{\"name\": \"f\", \"parameters\": {\"a\":1}}]",
        "```tool_output\nfound\n```",
    ]
    .iter()
    .map(|it| {
        prompt
            .find(it)
            .unwrap_or_else(|| panic!("{it} in {prompt}"))
    })
    .collect();
    assert!(turns.is_sorted(), "{turns:?} in {prompt}");
    // Templates that know tools say so themselves.
    let prompt = called(&published!(qwen3));
    assert!(
        prompt.contains("<tools>") && !prompt.contains("You can call"),
        "{prompt}"
    );
}

#[test]
fn llama_2() {
    let llama2 = published!(llama2);
    let tokenizer = check(&llama2);
    assert_eq!(tokenizer.end_of_generation(), [2], "</s>");
    let configured = llama2.tokenizer(true);
    assert_eq!(
        (&*configured.bos_text(), &*configured.eos_text()),
        ("<s>", "</s>"),
        "named"
    );
    let error = ChatTemplate::from_json(&llama2.config, None, &configured)
        .unwrap()
        .render(&Prompt::answer(&[Message::new(Role::User, "hi")]));
    assert!(
        error.unwrap_err().message().contains("no chat template"),
        "it has none"
    );
}

#[test]
fn llama_3() {
    let llama3 = published!(llama3);
    let tokenizer = check(&llama3);
    assert_eq!(
        tokenizer.end_of_generation(),
        [128_001, 128_009],
        "by their texts"
    );
    check_chats(&llama3);
    check_rich_chats("llama3", &llama3);
}

#[test]
fn qwen_3() {
    let qwen3 = published!(qwen3);
    check(&qwen3);
    let tokenizer = Tokenizer::from_json(&JsonFiles {
        tokenizer: &qwen3.tokenizer,
        tokenizer_config: Some(&qwen3.config),
        generation_config: Some(br#"{"eos_token_id": [151645, 151643]}"#),
        ..JsonFiles::default()
    });
    let ends = [151_643, 151_645, 151_662, 151_663, 151_664];
    assert_eq!(
        tokenizer.unwrap().end_of_generation(),
        ends,
        "with those of code"
    );
    check_chats(&qwen3);
    check_rich_chats("qwen3", &qwen3);
}

#[test]
fn gemma_3() {
    let gemma3 = published!(gemma3);
    let tokenizer = check(&gemma3);
    assert_eq!(
        tokenizer.end_of_generation(),
        [1, 106],
        "<eos>, <end_of_turn>"
    );
    check_chats(&gemma3);
    check_rich_chats("gemma3", &gemma3);
}

#[test]
fn deepseek_v3() {
    let deepseek = published!(deepseek_v3);
    let tokenizer = check(&deepseek);
    assert_eq!(tokenizer.end_of_generation(), [1], "<｜end▁of▁sentence｜>");
    let document = deepseek
        .tokenizer(true)
        .encode_document("a", Special::AsText);
    assert_eq!(document.unwrap()[0], 0, "the configuration asks for BOS");
    check_chats(&deepseek);
    check_rich_chats("deepseek_v3", &deepseek);
}

#[test]
fn gpt_oss() {
    let tokenizer = check(&published!(gptoss));
    let ends = [199_999, 200_002, 200_012];
    assert_eq!(tokenizer.end_of_generation(), ends, "without <|end|>");
}
