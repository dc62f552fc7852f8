use super::*;
use crate::chat::ChatTemplate;
use crate::openai::{ScoreRequest, TokensRequest, text_of, told};
use crate::tokenizer::{Special, Tokenizer};
use crate::weights::header::{Header, Parsed};

fn model() -> (ChatTemplate, Tokenizer) {
    let gguf = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
    let Parsed::Done(header) = Header::from_gguf(gguf).unwrap() else {
        panic!("the file is whole");
    };
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap();
    let source = "{{ messages[0].content }}{% if add_generation_prompt %} so:{% endif %}";
    let template = ChatTemplate::for_model(&header, &tokenizer, Some(source)).unwrap();
    (template, tokenizer)
}

#[test]
fn prompts_and_texts_have_tokens() {
    let (template, tokenizer) = model();
    let ids = |body: Value| {
        let request = TokensRequest::parse(&body.to_string()).unwrap();
        request.ids(&template, &tokenizer).unwrap()
    };
    let text = tokenizer.encode("Hi so:", Special::AsText).unwrap();
    assert_eq!(ids(json!({ "text": "Hi so:" })), text);
    let start = tokenizer.encode_start("Hi so:", Special::Parse).unwrap();
    assert_eq!(ids(json!({ "prompt": "Hi so:" })), start);
    assert_ne!(start, text, "the model asks for something in front");
    assert_eq!(
        ids(body(json!({}))),
        text,
        "with what makes the model speak"
    );
    let message = json!({ "messages": [{ "role": "user", "content": "Hi" }] });
    let counted = TokensRequest::parse_message(&message.to_string()).unwrap();
    assert_eq!(counted.ids(&template, &tokenizer).unwrap(), text);
    let response = json!({ "input": "Hi" });
    let counted = TokensRequest::parse_response(&response.to_string()).unwrap();
    assert_eq!(counted.ids(&template, &tokenizer).unwrap(), text);

    let told = told(&start, &tokenizer);
    assert_eq!(told["ids"], json!(start));
    let texts = told["texts"].as_array().unwrap();
    assert_eq!(texts.len(), start.len());
    assert_eq!(texts[0], tokenizer.bos_text());
    let bos = tokenizer.bos_text();
    assert_eq!(text_of(&start, false, &tokenizer).unwrap(), "Hi so:");
    assert_eq!(
        text_of(&start, true, &tokenizer).unwrap(),
        format!("{bos}Hi so:")
    );
    let error = text_of(&[7, 1 << 30], true, &tokenizer).unwrap_err();
    is_refused(error, Some("ids"), "1073741824");
    for (body, param) in [
        (json!({ "text": 5 }), "text"),
        (json!({ "text": "", "prompt": "" }), "prompt"),
        (json!({ "prompt": [1] }), "prompt"),
        (json!({}), "messages"),
    ] {
        let error = TokensRequest::parse(&body.to_string()).expect_err(param);
        assert_eq!(error.details()["param"], param, "{error}");
    }
}

#[test]
fn a_text_is_scored_behind_what_is_given() {
    let (template, tokenizer) = model();
    let ids = |body: Value| {
        let request = ScoreRequest::parse(&body.to_string()).unwrap();
        request.ids(&template, &tokenizer).unwrap()
    };
    let (alone, given) = ids(json!({ "text": "the cat" }));
    assert_eq!(
        alone,
        tokenizer.encode_start("the cat", Special::Parse).unwrap()
    );
    assert_eq!(given, 1, "what the model asks for");
    let (whole, given) = ids(json!({ "prompt": "the", "text": " cat" }));
    assert_eq!(whole, alone);
    let front = tokenizer.encode_start("the", Special::Parse).unwrap();
    assert_eq!(given, front.len());
    let (whole, given) = ids(body(json!({ "text": " yes" })));
    assert_eq!(
        whole,
        tokenizer.encode("Hi so: yes", Special::Parse).unwrap()
    );
    assert_eq!(tokenizer.decode(&whole[given..]), " yes");
    let refused = |body: Value| ScoreRequest::parse(&body.to_string()).unwrap_err();
    is_refused(refused(json!({ "prompt": "x" })), Some("text"), "Missing");
    is_refused(refused(json!({ "text": [] })), Some("text"), "a string");
    let empty = ScoreRequest::parse(&json!({ "text": "" }).to_string()).unwrap();
    is_refused(
        empty.ids(&template, &tokenizer).unwrap_err(),
        Some("text"),
        "no tokens",
    );
}
