#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use serde_json::{Value, json};

use super::{MessageResponder, parse};
use crate::chat::{Callable, Message, OutputParser, Role, Saying, Style};
use crate::generate::{Event, FinishReason, GenerateRequest, Usage};
use crate::openai::tests::calling;
use crate::openai::{Choice, Respond};
use crate::session::Retention;

fn body(more: Value) -> String {
    let mut body =
        json!({ "model": "m", "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }] });
    let Value::Object(more) = more else {
        panic!("fields expected");
    };
    body.as_object_mut().unwrap().extend(more);
    body.to_string()
}

#[test]
fn a_request_becomes_one_of_a_chat() {
    let request = parse(&body(json!({
        "system": [{ "type": "text", "text": "Be" }, { "type": "text", "text": "brief." }],
        "stream": true, "stop_sequences": ["a", "b"], "temperature": 0.5, "top_p": 0.25, "top_k": 3,
        "metadata": { "user_id": "u" }, "thinking": { "type": "enabled", "budget_tokens": 1024 },
    })))
    .unwrap();
    let expected = [
        Message::new(Role::System, "Be\nbrief."),
        Message::new(Role::User, "Hi"),
    ];
    assert_eq!(request.messages, expected);
    let options = &request.options;
    assert!(options.stream);
    assert_eq!(options.stop, ["a", "b"]);
    assert_eq!(
        (options.max_tokens, options.model.as_deref()),
        (Some(9), Some("m"))
    );
    let sampling = &options.sampling;
    assert_eq!(
        (sampling.temperature, sampling.top_p, sampling.top_k),
        (0.5, 0.25, 3)
    );
}

#[test]
fn what_is_to_be_cached_is_kept_wherever_that_stands() {
    let mark = json!({ "type": "ephemeral", "ttl": "1h" });
    let text = json!({ "type": "text", "text": "Hi", "cache_control": mark });
    let tool = json!({ "name": "f", "input_schema": { "type": "object" }, "cache_control": mark });
    for (more, expected) in [
        (json!({}), Retention::Usual),
        (json!({ "cache_control": null }), Retention::Usual),
        (json!({ "cache_control": mark }), Retention::Keep),
        (json!({ "system": [text] }), Retention::Keep),
        (
            json!({ "messages": [{ "role": "user", "content": [text] }] }),
            Retention::Keep,
        ),
        (json!({ "tools": [tool] }), Retention::Keep),
    ] {
        let request = parse(&body(more.clone())).unwrap();
        assert_eq!(request.options.retention, expected, "{more}");
    }
    let error = parse(&body(json!({ "cache_control": "ephemeral" }))).unwrap_err();
    assert_eq!(error.details()["param"], "cache_control");
}

#[test]
fn blocks_become_turns() {
    let messages = json!([
        { "role": "user", "content": [{ "type": "text", "text": "Weather?" }] },
        { "role": "assistant", "content": [
            { "type": "thinking", "thinking": "Hm.", "signature": "" },
            { "type": "text", "text": "I look." },
            { "type": "tool_use", "id": "toolu_1", "name": "f", "input": { "city": "Oslo" } },
        ] },
        { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "toolu_1", "content": [{ "type": "text", "text": "21" }] },
            { "type": "text", "text": "And?" },
        ] },
    ]);
    let request = parse(&body(json!({ "messages": messages }))).unwrap();
    let roles: Vec<_> = request.messages.iter().map(|it| it.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::Tool, Role::User]);
    let said = &request.messages[1];
    assert_eq!(said.content, "I look.");
    assert_eq!(said.fields["reasoning_content"], "Hm.");
    assert_eq!(
        said.fields["tool_calls"][0]["function"]["arguments"],
        json!({ "city": "Oslo" })
    );
    let result = &request.messages[2];
    assert_eq!(
        (result.content.as_str(), result.tool_call_id.as_deref()),
        ("21", Some("toolu_1"))
    );
    assert_eq!(request.messages[3].content, "And?");
}

#[test]
fn what_can_not_be_followed_is_refused_by_name() {
    let tool = |tool: Value| json!({ "tools": [tool] });
    for (more, param, says) in [
        (json!({ "max_tokens": null }), "max_tokens", "Missing"),
        (json!({ "max_tokens": 0 }), "max_tokens", ">= 1"),
        (json!({ "messages": [] }), "messages", "empty array"),
        (
            json!({ "messages": [{ "role": "king", "content": "" }] }),
            "messages.0.role",
            "'king'",
        ),
        (
            json!({ "messages": [{ "role": "user" }] }),
            "messages.0.content",
            "Missing",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": [{ "type": "image" }] }] }),
            "messages.0.content.0",
            "'image'",
        ),
        (
            json!({ "messages": [{ "role": "assistant", "content": [{ "type": "tool_use", "id": "a", "name": "f" }] }] }),
            "messages.0.content.0.input",
            "Missing",
        ),
        (json!({ "temperature": 1.5 }), "temperature", "<= 1"),
        (
            json!({ "stop_sequences": [""] }),
            "stop_sequences.0",
            "empty",
        ),
        (
            tool(json!({ "name": "f" })),
            "tools.0.input_schema",
            "Missing",
        ),
        (
            tool(json!({ "input_schema": {} })),
            "tools.0.function.name",
            "a string",
        ),
        (
            tool(json!({ "type": "bash_20250124", "name": "bash" })),
            "tools.0",
            "'custom'",
        ),
        (
            json!({ "tool_choice": { "type": "any" } }),
            "tool_choice",
            "only allowed when 'tools'",
        ),
        (
            json!({ "tool_choice": { "type": "tool", "name": "f" } }),
            "tool_choice.name",
            "'f' was not found",
        ),
        (
            json!({ "output_config": { "format": { "type": "regex" } } }),
            "output_config.format.type",
            "'json_schema'",
        ),
        (json!({ "tool_choice": {} }), "tool_choice.type", "Missing"),
        (
            json!({ "thinking": { "type": "maybe" } }),
            "thinking.type",
            "'maybe'",
        ),
        (json!({ "container": "c" }), "container", "not supported"),
        (json!({ "n": 2 }), "n", "Unrecognized"),
    ] {
        let error = parse(&body(more)).expect_err(param);
        assert_eq!(error.details()["param"], param, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
}

/// Of an answer that must call, and is cut short in the middle of its second call.
fn respond_held(stream: bool) -> Vec<Value> {
    let style = Style::of("<tool_call>", None);
    let tools = vec![Callable::any("f")];
    let saying = Saying::Calls(tools.clone(), false);
    let choice = Choice {
        generate: GenerateRequest::default(),
        prompt: 0,
        echo: None,
        parser: Some(OutputParser::new(style, tools, "", Some(&saying))),
        is_single: false,
    };
    let mut responder = MessageResponder::new(stream, "1", "m");
    let mut sent = responder.begin(0, &choice);
    for text in [
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": ",
        "1}}\n</tool_call>\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"b\"",
    ] {
        let said = Event::Text {
            text: text.to_owned(),
            tokens: 1,
        };
        sent.extend(responder.event(0, &choice, &said));
    }
    let finish = Event::Finish {
        reason: FinishReason::Length,
        stop: None,
        usage: Usage::default(),
    };
    sent.extend(responder.event(0, &choice, &finish));
    sent.extend(responder.end());
    sent
}

#[test]
fn arguments_are_streamed_as_they_come() {
    let events = respond_held(true);
    let of = |index: usize, kind: &str| -> Vec<&Value> {
        let events = events.iter();
        events
            .filter(|it| it["index"] == index && it["type"] == kind)
            .collect()
    };
    for (index, pieces) in [(0, vec!["{\"a\":", "1}"]), (1, vec!["{\"b\""])] {
        let [begun] = of(index, "content_block_start")[..] else {
            panic!("one block");
        };
        assert_eq!(begun["content_block"]["type"], "tool_use");
        assert_eq!(begun["content_block"]["input"], json!({}));
        let deltas = of(index, "content_block_delta");
        assert!(
            deltas
                .iter()
                .all(|it| it["delta"]["type"] == "input_json_delta")
        );
        let got: Vec<_> = deltas
            .iter()
            .map(|it| &it["delta"]["partial_json"])
            .collect();
        assert_eq!(got, pieces);
        assert_eq!(of(index, "content_block_stop").len(), 1);
    }
    let [message] = &respond_held(false)[..] else {
        panic!("one message");
    };
    assert_eq!(message["content"][0]["input"], json!({ "a": 1 }));
    // What is no object is told none the less.
    assert_eq!(
        message["content"][1],
        json!({ "type": "text", "text": "f {\"b\"" })
    );
    assert_eq!(message["stop_reason"], "max_tokens");
}

fn respond(stream: bool, is_single: bool) -> Vec<Value> {
    let mut choice = calling("<tool_call> </think>");
    choice.generate.prompt = vec![1, 2, 3];
    choice.is_single = is_single;
    let mut responder = MessageResponder::new(stream, "1", "m");
    let mut sent = responder.begin(0, &choice);
    for text in [
        "<think>Hm.</think>\nI ",
        "look.\n<tool_call>{\"name\": \"f\", ",
        "\"arguments\": {\"a\": 1}}</tool_call><tool_call>{\"name\": \"f\"}</tool_call>",
    ] {
        let said = Event::Text {
            text: text.to_owned(),
            tokens: 1,
        };
        sent.extend(responder.event(0, &choice, &said));
    }
    let finish = Event::Finish {
        reason: FinishReason::Stop,
        stop: None,
        usage: Usage {
            prompt_tokens: 3,
            cached_tokens: 2,
            completion_tokens: 7,
        },
    };
    sent.extend(responder.event(0, &choice, &finish));
    sent.extend(responder.end());
    sent
}

#[test]
fn an_answer_is_a_message_of_blocks() {
    let [message] = &respond(false, false)[..] else {
        panic!("one message");
    };
    let content = message["content"].as_array().unwrap();
    assert_eq!(
        content[0],
        json!({ "type": "thinking", "thinking": "Hm.", "signature": "" })
    );
    assert_eq!(content[1], json!({ "type": "text", "text": "I look." }));
    assert_eq!(
        (&content[2]["name"], &content[2]["input"]),
        (&json!("f"), &json!({ "a": 1 }))
    );
    assert_eq!(content.len(), 4);
    assert_ne!(content[2]["id"], content[3]["id"]);
    assert_eq!(
        (&message["id"], &message["type"]),
        (&json!("msg_1"), &json!("message"))
    );
    assert_eq!(
        (&message["stop_reason"], &message["stop_sequence"]),
        (&json!("tool_use"), &Value::Null)
    );
    let usage = json!({
        "input_tokens": 1, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 0, "output_tokens": 7,
    });
    assert_eq!(message["usage"], usage);
    assert_eq!(
        respond(false, true)[0]["content"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn a_streamed_answer_is_events() {
    let sent = respond(true, true);
    let kinds: Vec<_> = sent.iter().map(|it| it["type"].as_str().unwrap()).collect();
    let mut once = kinds.clone();
    once.dedup();
    let block = [
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
    ];
    let expected = [
        &["message_start"][..],
        &block,
        &block,
        &block,
        &["message_delta", "message_stop"],
    ];
    assert_eq!(once, expected.concat());
    assert_eq!(sent[0]["message"]["usage"]["input_tokens"], 3);
    let of = |kind: &str, at: &str, key: &str| -> String {
        let deltas = sent.iter().filter(|it| it["delta"]["type"] == kind);
        deltas.filter_map(|it| it[at][key].as_str()).collect()
    };
    assert_eq!(of("thinking_delta", "delta", "thinking"), "Hm.");
    assert_eq!(of("text_delta", "delta", "text"), "I look.");
    assert_eq!(of("input_json_delta", "delta", "partial_json"), "{\"a\":1}");
    let indices: Vec<_> = sent.iter().filter_map(|it| it["index"].as_u64()).collect();
    assert!(
        indices.is_sorted() && indices.last() == Some(&2),
        "{indices:?}"
    );
    let end = &sent[sent.len() - 2];
    assert_eq!(end["delta"]["stop_reason"], "tool_use");
    assert_eq!(end["usage"]["output_tokens"], 7);
}
