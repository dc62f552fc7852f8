//! Answers that are held to calls: strict tools, and arguments that are streamed.

use super::tools::held;
use super::*;
use crate::anthropic;
use crate::chat::{Callable, OutputParser, Saying, Style};

fn strict() -> Value {
    let mut tool = weather();
    tool["function"]["strict"] = true.into();
    tool
}

#[test]
fn a_strict_tool_holds_answers_that_need_no_call() {
    let other = json!({ "type": "function", "function": { "name": "stop" } });
    let both = json!([other, strict()]);
    let style = Style::of("<tool_call>", None);
    let callable = |tools: &Value| parse(json!({ "tools": tools })).tools.callable();
    let anything = |is_single| {
        let saying = Saying::Anything(callable(&both), is_single);
        Some(style.grammar("Hi", &saying).unwrap())
    };
    assert_eq!(callable(&both).iter().filter(|it| it.is_strict).count(), 1);
    assert_eq!(held(json!({ "tools": both })), anything(false));
    let single = json!({ "tools": both, "parallel_tool_calls": false });
    assert_eq!(held(single), anything(true));
    let named = |name: &str| {
        let only = json!([{ "type": "function", "function": { "name": name } }]);
        let choice =
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": only } });
        held(json!({ "tools": both, "tool_choice": choice }))
    };
    assert_eq!(named("stop"), None, "the strict one is not allowed");
    assert!(named("get_weather").is_some());
    for more in [
        json!({ "tools": [weather(), other] }),
        json!({ "tools": both, "tool_choice": "none" }),
    ] {
        assert_eq!(held(more.clone()), None, "{more}");
    }
    // Where it must be called, or a form is wanted, it is held in any case.
    let must = |tools: Value| held(json!({ "tools": tools, "tool_choice": "required" }));
    assert_eq!(must(json!([strict()])), must(json!([weather()])));
    // Anthropic's word for it is the same.
    let body = json!({
        "messages": [{ "role": "user", "content": "Hi" }], "max_tokens": 9,
        "tools": [{ "name": "f", "input_schema": { "type": "object" }, "strict": true }],
    });
    let request = anthropic::parse(&body.to_string()).unwrap();
    assert!(request.tools.callable()[0].is_strict);
    let mut wrong = body;
    wrong["tools"][0]["strict"] = 1.into();
    let error = anthropic::parse(&wrong.to_string()).unwrap_err();
    is_refused(error, Some("tools.0.strict"), "a boolean");
}

fn answer(more: Value, is_single: bool, reason: FinishReason, pieces: &[&str]) -> Vec<Value> {
    let tools = ["f", "g"].map(Callable::any).to_vec();
    let saying = Saying::Calls(tools.clone(), false);
    let style = Style::of("<tool_call>", None);
    let choice = Choice {
        generate: GenerateRequest::default(),
        prompt: 0,
        echo: None,
        parser: Some(OutputParser::new(style, tools, "", Some(&saying))),
        is_single,
    };
    let request = TextRequest::Chat(parse(more));
    let mut responder = Responder::new(&request, "1", 0, "m");
    let mut sent: Vec<_> = responder.begin(0, &choice).into_iter().collect();
    for piece in pieces {
        sent.extend(responder.event(0, &choice, &told(piece, 1)));
    }
    let finish = Event::Finish {
        reason,
        stop: None,
        usage: Usage::default(),
    };
    sent.extend(responder.event(0, &choice, &finish));
    sent.extend(responder.end());
    sent
}

const PIECES: &[&str] = &[
    "<tool_call>\n{\"name\": \"f\", \"arguments\": {",
    "\"a\": [1, ",
    "2]}}\n</tool_call>\n<tool_call>\n{\"name\": \"g\", \"argu",
    "ments\": {\"b\": \"",
    " c\"}}\n</tool_call>",
];

#[test]
fn arguments_of_calls_that_must_be_are_streamed() {
    let chunks = answer(json!({ "stream": true }), false, FinishReason::Stop, PIECES);
    let of = |index: usize| -> Vec<&Value> {
        let calls = chunks
            .iter()
            .map(|it| &it["choices"][0]["delta"]["tool_calls"]);
        calls
            .flat_map(|it| it.as_array().into_iter().flatten())
            .filter(|it| it["index"] == index)
            .collect()
    };
    let whole = &answer(json!({}), false, FinishReason::Stop, PIECES)[0]["choices"][0];
    assert_eq!(whole["finish_reason"], "tool_calls");
    for (index, name, pieces) in [
        (0, "f", ["{", "\"a\":[1,", "2]}"].as_slice()),
        (1, "g", &["{\"b\":\"", " c\"}"]),
    ] {
        let deltas = of(index);
        let called = &whole["message"]["tool_calls"][index];
        let (first, others) = deltas.split_first().unwrap();
        assert_eq!(
            **first,
            json!({ "index": index, "id": called["id"], "type": "function", "function": { "name": name, "arguments": "" } })
        );
        let told: Vec<_> = others
            .iter()
            .map(|it| it["function"]["arguments"].as_str().unwrap())
            .collect();
        assert_eq!(told, pieces);
        assert!(
            others
                .iter()
                .all(|it| it.get("id").is_none() && it["function"].get("name").is_none())
        );
        assert_eq!(called["function"]["arguments"], pieces.concat());
    }
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "tool_calls"
    );

    // One too many is not told at all.
    let told = |chunks: &[Value]| -> String {
        let deltas = chunks
            .iter()
            .map(|it| &it["choices"][0]["delta"]["tool_calls"][0]);
        deltas
            .filter_map(|it| it["function"]["arguments"].as_str())
            .collect()
    };
    let chunks = answer(json!({ "stream": true }), true, FinishReason::Stop, PIECES);
    assert_eq!(told(&chunks), "{\"a\":[1,2]}");
    let whole = &answer(json!({}), true, FinishReason::Stop, PIECES)[0]["choices"][0];
    let calls = whole["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(
        (calls.len(), &calls[0]["function"]["arguments"]),
        (1, &json!("{\"a\":[1,2]}"))
    );

    // One that is cut short is told as far as it came, streamed or not, and the reason says why.
    let cut = &answer(json!({}), false, FinishReason::Length, &PIECES[..2])[0]["choices"][0];
    assert_eq!(cut["finish_reason"], "length");
    assert_eq!(
        cut["message"]["tool_calls"][0]["function"]["arguments"],
        "{\"a\":[1,"
    );
}
