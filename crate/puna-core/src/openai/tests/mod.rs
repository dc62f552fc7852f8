#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod format;
mod held;
mod request;
mod response;
mod tokens;
mod tools;
mod warnings;

use serde_json::{Value, json};

use super::{ChatRequest, Choice, Respond, Responder, TextRequest};
use crate::chat::{Callable, OutputParser, Style};
use crate::generate::{Event, FinishReason, GenerateRequest, Usage};
use crate::{Error, ErrorCode};

/// An answer to somebody who offered `f`, by a model whose template has these marks.
pub(crate) fn calling(marks: &str) -> Choice {
    let style = Style::of(marks, None);
    Choice {
        generate: GenerateRequest::default(),
        prompt: 0,
        echo: None,
        parser: Some(OutputParser::new(style, vec![Callable::any("f")], "", None)),
        is_single: false,
    }
}

/// A request of one message with these fields added.
fn body(more: Value) -> Value {
    let mut body = json!({ "messages": [{ "role": "user", "content": "Hi" }] });
    let Value::Object(more) = more else {
        panic!("fields expected");
    };
    body.as_object_mut().unwrap().extend(more);
    body
}

#[track_caller]
fn parse(more: Value) -> ChatRequest {
    ChatRequest::parse(&body(more).to_string()).unwrap()
}

#[track_caller]
fn refused_body(body: &str, param: Option<&str>, says: &str) {
    is_refused(ChatRequest::parse(body).expect_err(body), param, says);
}

#[track_caller]
fn is_refused(error: Error, param: Option<&str>, says: &str) {
    assert_eq!(error.code(), ErrorCode::InvalidRequest, "{error}");
    let got = error.details().get("param").and_then(Value::as_str);
    assert_eq!(got, param, "{error}");
    assert!(
        error.message().contains(says),
        "{error} should say {says:?}"
    );
}

#[track_caller]
fn refused(more: Value, param: &str, says: &str) {
    refused_body(&body(more).to_string(), Some(param), says);
}

#[track_caller]
fn refused_messages(messages: Value, param: &str, says: &str) {
    refused_body(
        &json!({ "messages": messages }).to_string(),
        Some(param),
        says,
    );
}

/// More of an answer, which has so many tokens up to there.
fn told(text: &str, tokens: u32) -> Event {
    Event::Text {
        text: text.to_owned(),
        tokens,
    }
}

fn events() -> [Event; 3] {
    let usage = Usage {
        prompt_tokens: 5,
        cached_tokens: 3,
        completion_tokens: 2,
    };
    [
        told("Hel", 1),
        told("lo", 2),
        Event::Finish {
            reason: FinishReason::Length,
            stop: None,
            usage,
        },
    ]
}

/// To as many answers as the request wants, of one prompt each.
fn respond_to(request: &TextRequest, echo: &str) -> Vec<Value> {
    let mut responder = Responder::new(request, "1", 1_700_000_000, "m");
    let mut sent = Vec::new();
    for index in 0..request.options().n as usize {
        let choice = Choice {
            generate: GenerateRequest::default(),
            prompt: 0,
            echo: Some(echo.to_owned()),
            parser: None,
            is_single: false,
        };
        sent.extend(responder.begin(index, &choice));
        for event in events() {
            sent.extend(responder.event(index, &choice, &event));
        }
    }
    sent.extend(responder.end());
    sent
}

fn respond(more: Value) -> Vec<Value> {
    respond_to(&TextRequest::Chat(parse(more)), "")
}

fn usage() -> Value {
    json!({ "prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "prompt_tokens_details": { "cached_tokens": 3 },
        "completion_tokens_details": { "reasoning_tokens": 0 } })
}

fn weather() -> Value {
    json!({ "type": "function", "function": {
        "name": "get_weather", "description": "Weather of a city",
        "parameters": { "type": "object", "properties": { "city": { "type": "string" } } },
    } })
}
