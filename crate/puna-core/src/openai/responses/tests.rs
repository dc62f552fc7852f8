#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

use serde_json::{Value, json};

use super::{ResponsesRequest, ResponsesResponder};
use crate::chat::{Callable, ChatTemplate, Message, OutputParser, Role, Saying, Style};
use crate::generate::{Event, FinishReason, GenerateRequest, LogProb, TokenLogProb, Usage};
use crate::openai::tests::calling;
use crate::openai::{Choice, Respond, TextRequest};
use crate::tokenizer::Tokenizer;
use crate::weights::header::{Header, Parsed};

fn body(more: Value) -> String {
    let mut body = json!({ "model": "m", "input": "Hi" });
    let Value::Object(more) = more else {
        panic!("fields expected");
    };
    body.as_object_mut().unwrap().extend(more);
    body.to_string()
}

#[track_caller]
fn parse(more: Value) -> ResponsesRequest {
    ResponsesRequest::parse(&body(more)).unwrap()
}

#[test]
fn a_request_becomes_one_of_a_chat() {
    let request = parse(json!({
        "instructions": "Be brief.", "max_output_tokens": 7, "temperature": 0.5, "top_p": 0.25, "stream": true,
        "stream_options": { "include_obfuscation": false }, "reasoning": { "effort": "minimal" }, "store": false,
        "include": ["message.output_text.logprobs", "reasoning.encrypted_content"], "top_logprobs": 3,
        "puna": { "top_k": 5 }, "previous_response_id": "resp_1", "background": false, "truncation": "auto",
    }));
    let expected = [
        Message::new(Role::Developer, "Be brief."),
        Message::new(Role::User, "Hi"),
    ];
    let chat = request.chat;
    assert_eq!(chat.messages, expected);
    assert_eq!((chat.thinks, chat.effort), (Some(true), Some("low")));
    assert!(chat.truncates);
    let options = &chat.options;
    assert!(options.stream);
    assert_eq!((options.max_tokens, options.logprobs), (Some(7), Some(3)));
    let sampling = &options.sampling;
    assert_eq!(
        (sampling.temperature, sampling.top_p, sampling.top_k),
        (0.5, 0.25, 5)
    );
    let none = parse(json!({ "reasoning": { "effort": "none" } })).chat;
    assert_eq!((none.thinks, none.effort), (Some(false), None));
    assert_eq!(parse(json!({})).chat.thinks, None);
}

#[test]
fn items_become_turns() {
    let input = json!([
        { "role": "system", "content": "Rules." },
        { "type": "message", "role": "user", "content": [
            { "type": "input_text", "text": "Weather?" }, { "type": "input_text", "text": "In Oslo." },
        ] },
        { "type": "reasoning", "id": "rs_1", "summary": [{ "type": "summary_text", "text": "Hm." }] },
        { "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
          "content": [{ "type": "output_text", "text": "I look.", "annotations": [] }] },
        { "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{\"city\":\"Oslo\"}" },
        { "type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "f", "arguments": "odd" },
        { "type": "function_call_output", "call_id": "call_1", "output": "21" },
        { "type": "function_call_output", "call_id": "call_2", "output": [{ "type": "input_text", "text": "22" }] },
        { "type": "reasoning", "summary": [], "content": [{ "type": "reasoning_text", "text": "So." }] },
        { "type": "function_call", "call_id": "call_3", "name": "f", "arguments": "{}" },
    ]);
    let messages = parse(json!({ "input": input })).chat.messages;
    let roles: Vec<_> = messages.iter().map(|it| it.role.as_str()).collect();
    assert_eq!(
        roles,
        ["system", "user", "assistant", "tool", "tool", "assistant"]
    );
    assert_eq!(messages[1].content, "Weather?\nIn Oslo.");
    let said = &messages[2];
    assert_eq!(
        (said.content.as_str(), &said.fields["reasoning_content"]),
        ("I look.", &json!("Hm."))
    );
    let calls = &said.fields["tool_calls"];
    assert_eq!(calls[0]["function"]["arguments"], json!({ "city": "Oslo" }));
    assert_eq!(
        (&calls[1]["id"], &calls[1]["function"]["arguments"]),
        (&json!("call_2"), &json!("odd"))
    );
    assert_eq!(
        (messages[4].tool_call_id.as_deref(), &*messages[4].content),
        (Some("call_2"), "22")
    );
    assert_eq!(messages[5].fields["reasoning_content"], "So.");
}

#[test]
fn tools_and_formats_are_flat() {
    let tool = json!({ "type": "function", "name": "f", "description": "d", "strict": true,
        "parameters": { "type": "object", "properties": {} } });
    let chat = |more: Value| {
        let mut all = json!({ "tools": [tool.clone()] });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        parse(all).chat
    };
    let offered = chat(json!({})).tools;
    assert_eq!(
        offered.offered(),
        [
            json!({ "type": "function", "function": { "name": "f", "description": "d", "strict": true,
            "parameters": { "type": "object", "properties": {} } } })
        ]
    );
    assert!(!offered.wants_one());
    assert!(
        chat(json!({ "tool_choice": { "type": "function", "name": "f" } }))
            .tools
            .wants_one()
    );
    let allowed = json!({ "type": "allowed_tools", "mode": "required", "tools": [{ "type": "function", "name": "f" }] });
    assert_eq!(
        chat(json!({ "tool_choice": allowed }))
            .tools
            .callable()
            .len(),
        1
    );
    let format =
        json!({ "format": { "type": "json_schema", "name": "n", "schema": { "type": "object" } } });
    assert!(
        parse(json!({ "text": format }))
            .chat
            .options
            .grammar
            .is_some()
    );
    assert_eq!(
        parse(json!({ "text": { "format": { "type": "text" }, "verbosity": "medium" } }))
            .chat
            .options
            .grammar,
        None
    );
}

#[test]
fn what_is_wrong_is_refused_by_name() {
    for (more, param, says) in [
        (json!({ "input": [] }), "input", "empty array"),
        (json!({ "input": 5 }), "input", "a string or array"),
        (json!({ "input": [1] }), "input[0]", "an object"),
        (
            json!({ "input": [{ "role": "tool", "content": "" }] }),
            "input[0].role",
            "'developer'",
        ),
        (
            json!({ "input": [{ "type": "web_search_call" }] }),
            "input[0]",
            "'web_search_call'",
        ),
        (
            json!({ "input": [{ "role": "user", "content": [{ "type": "input_image" }] }] }),
            "input[0].content[0]",
            "'input_image'",
        ),
        (
            json!({ "input": [{ "type": "function_call", "name": "f" }] }),
            "input[0].call_id",
            "Missing",
        ),
        (
            json!({ "tools": [{ "type": "web_search" }] }),
            "tools[0]",
            "'web_search'",
        ),
        (
            json!({ "tools": [{ "type": "function", "name": "a b" }] }),
            "tools[0].name",
            "'a b'",
        ),
        (json!({ "tool_choice": "required" }), "tool_choice", "tools"),
        (
            json!({ "tool_choice": { "type": "mcp" } }),
            "tool_choice",
            "'mcp'",
        ),
        (
            json!({ "text": { "format": { "type": "xml" } } }),
            "text.format.type",
            "'xml'",
        ),
        (
            json!({ "text": { "verbosity": "low" } }),
            "text.verbosity",
            "not supported",
        ),
        (
            json!({ "text": { "format": { "type": "json_object" } }, "puna": { "regex": "a" } }),
            "text.format",
            "not to both",
        ),
        (
            json!({ "reasoning": { "effort": "lots" } }),
            "reasoning.effort",
            "'lots'",
        ),
        (
            json!({ "include": ["file_search_call.results"] }),
            "include[0]",
            "file_search_call",
        ),
        (json!({ "background": true }), "background", "waited for"),
        (
            json!({ "conversation": "c" }),
            "conversation",
            "not supported",
        ),
        (json!({ "stop": "x" }), "stop", "Unrecognized"),
        (json!({ "truncation": "some" }), "truncation", "'disabled'"),
    ] {
        let error = ResponsesRequest::parse(&body(more)).expect_err(param);
        assert_eq!(error.details()["param"], param, "{error}");
        assert!(error.message().contains(says), "{error}");
    }
    let error = ResponsesRequest::parse("{}").unwrap_err();
    assert_eq!(error.details()["param"], "input");
}

fn respond(more: Value) -> Vec<Value> {
    let request = parse(more);
    let choice = calling("<tool_call> </think>");
    let mut responder = ResponsesResponder::new(&request, "1", 1_700_000_000, "m");
    let mut sent = responder.begin(0, &choice);
    for (text, tokens) in [
        ("<think>H", 2),
        ("m.", 3),
        ("</think>\nI ", 5),
        ("look.", 6),
        (
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}}</tool_call>",
            9,
        ),
    ] {
        if request.chat.options.logprobs.is_some() {
            let token = LogProb {
                bytes: text.as_bytes().to_vec(),
                logprob: -0.5,
            };
            let top = vec![token.clone()];
            let told = Event::Tokens(vec![TokenLogProb { token, top }]);
            sent.extend(responder.event(0, &choice, &told));
        }
        let text = text.to_owned();
        sent.extend(responder.event(0, &choice, &Event::Text { text, tokens }));
    }
    let finish = Event::Finish {
        reason: FinishReason::Length,
        stop: None,
        usage: Usage {
            prompt_tokens: 8,
            cached_tokens: 5,
            completion_tokens: 9,
        },
    };
    sent.extend(responder.event(0, &choice, &finish));
    sent.extend(responder.end());
    sent
}

#[test]
fn arguments_are_told_as_they_come() {
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
    let request = parse(json!({ "stream": true }));
    let mut responder = ResponsesResponder::new(&request, "1", 0, "m");
    let mut sent = responder.begin(0, &choice);
    for text in [
        "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": ",
        "1}}\n</tool_call>\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"b\"",
    ] {
        let text = text.to_owned();
        sent.extend(responder.event(0, &choice, &Event::Text { text, tokens: 1 }));
    }
    let finish = Event::Finish {
        reason: FinishReason::Length,
        stop: None,
        usage: Usage::default(),
    };
    sent.extend(responder.event(0, &choice, &finish));
    let told: Vec<_> = sent
        .iter()
        .filter(|it| it["output_index"].is_number())
        .map(|it| {
            let name = it["type"].as_str().unwrap().trim_start_matches("response.");
            let said = it.get("delta").or_else(|| it.get("arguments"));
            let said = said.or_else(|| it["item"].get("status")).unwrap();
            (
                it["output_index"].as_u64().unwrap(),
                name,
                said.as_str().unwrap(),
            )
        })
        .collect();
    let delta = "function_call_arguments.delta";
    let done = "function_call_arguments.done";
    assert_eq!(
        told,
        [
            (0, "output_item.added", "in_progress"),
            (0, delta, "{\"a\":"),
            (0, delta, "1}"),
            (0, done, "{\"a\":1}"),
            (0, "output_item.done", "completed"),
            (1, "output_item.added", "in_progress"),
            (1, delta, "{\"b\""),
            (1, done, "{\"b\""),
            (1, "output_item.done", "incomplete"),
        ]
    );
    let numbers: Vec<_> = sent
        .iter()
        .map(|it| it["sequence_number"].as_u64())
        .collect();
    let expected: Vec<_> = (0..sent.len() as u64).map(Some).collect();
    assert_eq!(numbers, expected, "none is left out");
}

#[test]
fn an_answer_is_a_response_of_items() {
    let more = json!({ "instructions": "Be brief.", "metadata": { "a": "b" }, "temperature": 0.5 });
    let [response] = &respond(more)[..] else {
        panic!("one response");
    };
    assert_eq!(
        [&response["id"], &response["object"], &response["status"]],
        ["resp_1", "response", "incomplete"]
    );
    assert_eq!(
        response["incomplete_details"],
        json!({ "reason": "max_output_tokens" })
    );
    assert_eq!(
        (&response["instructions"], &response["metadata"]["a"]),
        (&json!("Be brief."), &json!("b"))
    );
    assert_eq!(
        (&response["temperature"], &response["top_p"]),
        (&json!(0.5), &json!(1.0))
    );
    let output = response["output"].as_array().unwrap();
    let types: Vec<_> = output
        .iter()
        .map(|it| it["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["reasoning", "message", "function_call"]);
    assert_eq!(
        output[0]["content"],
        json!([{ "type": "reasoning_text", "text": "Hm." }])
    );
    assert_eq!(
        output[1]["content"],
        json!([{ "type": "output_text", "text": "I look.", "annotations": [], "logprobs": [] }])
    );
    assert_eq!(output[2]["arguments"], "{\"a\":1}");
    assert!(output[2]["call_id"].as_str().unwrap().starts_with("call_"));
    let usage = json!({
        "input_tokens": 8, "input_tokens_details": { "cached_tokens": 5 },
        "output_tokens": 9, "output_tokens_details": { "reasoning_tokens": 3 }, "total_tokens": 17,
    });
    assert_eq!(response["usage"], usage);
}

#[test]
fn a_streamed_answer_is_events_that_build_the_same() {
    let more = json!({ "include": ["message.output_text.logprobs"] });
    let [whole] = &respond(more.clone())[..] else {
        panic!("one response");
    };
    let mut streaming = more;
    streaming["stream"] = json!(true);
    let sent = respond(streaming);
    let mut built: Vec<Value> = Vec::new();
    for (ix, event) in sent.iter().enumerate() {
        assert_eq!(event["sequence_number"], ix, "{event}");
        let at = usize::try_from(event["output_index"].as_u64().unwrap_or_default()).unwrap();
        match event["type"].as_str().unwrap() {
            "response.created" | "response.in_progress" => {
                assert_eq!(event["response"]["status"], "in_progress");
            }
            "response.output_item.added" => {
                assert_eq!(at, built.len());
                built.push(event["item"].clone());
            }
            "response.content_part.added" => {
                assert_eq!(event["item_id"], built[at]["id"]);
                let parts = built[at]["content"].as_array_mut().unwrap();
                parts.push(event["part"].clone());
            }
            "response.output_text.delta" | "response.reasoning_text.delta" => {
                let part = &mut built[at]["content"][0];
                let text = format!(
                    "{}{}",
                    part["text"].as_str().unwrap(),
                    event["delta"].as_str().unwrap()
                );
                part["text"] = text.into();
                if let Some(told) = event["logprobs"].as_array() {
                    let all = part["logprobs"].as_array_mut().unwrap();
                    all.extend(told.iter().cloned());
                }
            }
            "response.function_call_arguments.delta" => {
                built[at]["arguments"] = event["delta"].clone();
            }
            "response.output_text.done" | "response.reasoning_text.done" => {
                assert_eq!(event["text"], built[at]["content"][0]["text"]);
            }
            "response.content_part.done" => {
                assert_eq!(event["part"], built[at]["content"][0]);
            }
            "response.function_call_arguments.done" => {
                assert_eq!(event["arguments"], built[at]["arguments"]);
            }
            "response.output_item.done" => {
                built[at]["status"] = event["item"]["status"].clone();
                if event["item"]["type"] == "reasoning" {
                    built[at].as_object_mut().unwrap().remove("status");
                }
                assert_eq!(event["item"], built[at]);
            }
            "response.incomplete" => assert_eq!(&event["response"], whole),
            other => panic!("{other}"),
        }
    }
    assert_eq!(Value::from(built), whole["output"]);
    let told = whole["output"][1]["content"][0]["logprobs"]
        .as_array()
        .unwrap();
    assert_eq!(told.len(), 2, "of what is text: {told:?}");
    assert_eq!(told[1]["top_logprobs"][0]["token"], "look.");
    assert_eq!(sent.last().unwrap()["type"], "response.incomplete");
}

#[test]
fn thoughts_stand_as_a_summary_where_one_is_asked_for() {
    let more = json!({ "reasoning": { "summary": "auto" } });
    let [whole] = &respond(more.clone())[..] else {
        panic!("one response");
    };
    let thought = &whole["output"][0];
    assert_eq!(
        (&thought["summary"], &thought["content"]),
        (
            &json!([{ "type": "summary_text", "text": "Hm." }]),
            &json!([])
        )
    );
    let mut streaming = more;
    streaming["stream"] = json!(true);
    let sent = respond(streaming);
    let of = |event: &&Value| {
        event["type"]
            .as_str()
            .unwrap()
            .contains("reasoning_summary")
    };
    let names: Vec<_> = sent
        .iter()
        .filter(of)
        .map(|it| (it["type"].as_str().unwrap(), it["summary_index"].as_u64()))
        .collect();
    assert_eq!(
        names.first().unwrap().0,
        "response.reasoning_summary_part.added"
    );
    assert_eq!(
        names.last().unwrap().0,
        "response.reasoning_summary_part.done"
    );
    assert!(
        names.iter().all(|(_, index)| *index == Some(0)),
        "{names:?}"
    );
}

/// The tiny model's, and a template that puts a chat's texts one behind the other.
fn model() -> (ChatTemplate, Tokenizer) {
    let gguf = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
    let Parsed::Done(header) = Header::from_gguf(gguf).unwrap() else {
        panic!("the file is whole");
    };
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap();
    let source = "{% for it in messages %}{{ it.role }}:{{ it.content }};{% endfor %}";
    let template = ChatTemplate::for_model(&header, &tokenizer, Some(source)).unwrap();
    (template, tokenizer)
}

#[test]
fn the_oldest_exchanges_are_left_out_where_there_is_no_room() {
    let (template, tokenizer) = model();
    let mut input = vec![json!({ "role": "system", "content": "Rules" })];
    for turn in 0..12 {
        input.push(json!({ "role": "user", "content": format!("question {turn}") }));
        input.push(
            json!({ "type": "function_call", "call_id": "c", "name": "f", "arguments": "{}" }),
        );
        input.push(json!({ "type": "function_call_output", "call_id": "c", "output": "found" }));
        input.push(json!({ "role": "assistant", "content": format!("answer {turn}") }));
    }
    input.push(json!({ "role": "user", "content": "the last" }));
    let prompt = |truncation: &str| {
        let request =
            parse(json!({ "input": input, "truncation": truncation, "max_output_tokens": 20 }));
        let request = TextRequest::Chat(request.chat);
        let choices = request.choices(&template, &tokenizer, 200, 0);
        choices.map(|it| it[0].generate.prompt.clone())
    };
    let error = prompt("disabled").unwrap_err();
    assert_eq!(error.code().as_str(), "context_length_exceeded");
    let ids = prompt("auto").unwrap();
    assert!(ids.len() <= 180 && ids.len() > 90, "{}", ids.len());
    let text = tokenizer.decode(&ids);
    let text = text.trim_start();
    assert!(
        text.starts_with("system:Rules;user:question"),
        "whole exchanges go: {text}"
    );
    assert!(text.ends_with("answer 11;user:the last;"), "{text}");
    // One that is too long alone is refused, and not cut.
    input = vec![json!({ "role": "user", "content": "long ".repeat(300) })];
    let request = parse(json!({ "input": input, "truncation": "auto" }));
    let request = TextRequest::Chat(request.chat);
    request
        .choices(&template, &tokenizer, 200, 0)
        .expect_err("no room");
}
