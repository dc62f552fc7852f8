use super::*;
use crate::chat::{Callable, ChatTemplate, Part, Saying, Style};
use crate::grammar::Grammar;
use crate::tokenizer::Tokenizer;
use crate::weights::header::{Header, Parsed};

#[test]
fn tools_are_checked_by_name() {
    let function =
        |function: Value| json!({ "tools": [{ "type": "function", "function": function }] });
    for (more, param, says) in [
        (json!({ "tools": {} }), "tools", "an array"),
        (json!({ "tools": [1] }), "tools[0]", "an object"),
        (
            json!({ "tools": [weather(), {}] }),
            "tools[1].type",
            "Missing",
        ),
        (
            json!({ "tools": [{ "type": "web_search" }] }),
            "tools[0].type",
            "'function'",
        ),
        (
            json!({ "tools": [{ "type": "function" }] }),
            "tools[0].function",
            "Missing",
        ),
        (function(json!({})), "tools[0].function.name", "Missing"),
        (
            function(json!({ "name": "" })),
            "tools[0].function.name",
            "1 to 64",
        ),
        (
            function(json!({ "name": "a b" })),
            "tools[0].function.name",
            "got 'a b'",
        ),
        (
            json!({ "tools": vec![weather(); 129] }),
            "tools",
            "maximum length 128",
        ),
        (
            json!({ "tools": [weather()], "tool_choice": { "type": "function" } }),
            "tool_choice.function",
            "Missing",
        ),
        (
            json!({ "tools": [weather()], "tool_choice": { "type": "function", "function": { "name": "f" } } }),
            "tool_choice",
            "the function 'f' was not found in the 'tools' parameter",
        ),
        (
            json!({ "tools": [weather()], "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "none", "tools": [] } } }),
            "tool_choice.allowed_tools.mode",
            "'auto' and 'required'",
        ),
        (
            json!({ "tools": [weather()], "tool_choice": { "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [] } } }),
            "tool_choice",
            "not found",
        ),
        (
            json!({ "tools": [weather()], "tool_choice": "maybe" }),
            "tool_choice",
            "'none', 'auto' and 'required'",
        ),
        (
            json!({ "tool_choice": "required" }),
            "tool_choice",
            "only allowed when 'tools'",
        ),
        (
            function(json!({ "name": "f", "parameters": [] })),
            "tools[0].function.parameters",
            "an object",
        ),
        (
            function(json!({ "name": "f", "parameters": { "type": "array" } })),
            "tools[0].function.parameters",
            "of 'type: \"object\"', got 'type: \"array\"'",
        ),
        (
            function(json!({ "name": "f", "strict": "yes" })),
            "tools[0].function.strict",
            "a boolean",
        ),
        (
            json!({ "tool_choice": "auto" }),
            "tool_choice",
            "only allowed when 'tools'",
        ),
        (
            json!({ "parallel_tool_calls": true }),
            "parallel_tool_calls",
            "only allowed when 'tools'",
        ),
        (
            json!({ "tools": [weather()], "parallel_tool_calls": 1 }),
            "parallel_tool_calls",
            "a boolean",
        ),
    ] {
        refused(more, param, says);
    }
    parse(json!({ "tools": [weather()], "tool_choice": "auto", "parallel_tool_calls": false }));
    parse(json!({ "tools": [], "tool_choice": "none" }));
}

#[test]
fn calls_of_answers_go_to_the_template_with_their_arguments_as_objects() {
    let call = |arguments: &str| {
        json!({ "role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
            { "id": "abcdefghi", "type": "function", "function": { "name": "f", "arguments": arguments } },
        ] })
    };
    let of = |message: Value| {
        let body = json!({ "messages": [message] }).to_string();
        ChatRequest::parse(&body).unwrap().messages.remove(0)
    };
    let message = of(call("{\"a\": 1}"));
    assert_eq!(message.content, "");
    assert_eq!(message.fields["reasoning_content"], "hm");
    let function = &message.fields["tool_calls"][0]["function"];
    assert_eq!(function["arguments"], json!({ "a": 1 }));
    let broken = of(call("{\"a\": "));
    assert_eq!(
        broken.fields["tool_calls"][0]["function"]["arguments"],
        "{\"a\": "
    );
    for (message, param) in [
        (
            json!({ "role": "assistant", "content": null }),
            "messages[0].content",
        ),
        (
            json!({ "role": "assistant", "tool_calls": [{ "id": "a", "function": { "name": "f" } }] }),
            "messages[0].tool_calls[0].function.arguments",
        ),
        (
            json!({ "role": "assistant", "tool_calls": [{ "id": 1, "function": {} }] }),
            "messages[0].tool_calls[0].id",
        ),
    ] {
        refused_messages(json!([message]), param, "");
    }
}

#[test]
fn an_answer_may_call_tools_and_reason_before() {
    let gguf = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
    let Parsed::Done(header) = Header::from_gguf(gguf).unwrap() else {
        panic!("the file is whole");
    };
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap();
    let source =
        "{{ tools | length if tools else 0 }}:{{ messages[0].content }}{# <tool_call> </think> #}";
    let template = ChatTemplate::for_model(&header, &tokenizer, Some(source)).unwrap();
    let choices = |more: Value, template: &ChatTemplate| {
        let request = TextRequest::Chat(parse(more));
        let choices = request.choices(template, &tokenizer, 512, 0);
        choices.map(|mut choices| (choices.remove(0), request))
    };
    let prompt = |more: Value| {
        let (choice, _) = choices(more, &template).unwrap();
        tokenizer.decode(&choice.generate.prompt)
    };
    let tools = json!([weather()]);
    assert_eq!(prompt(json!({ "tools": tools })), "1:Hi");
    assert_eq!(
        prompt(json!({ "tools": tools, "tool_choice": "none" })),
        "0:Hi"
    );
    // What is not offered can't be called, whatever the model's marks.
    let source = "{{ messages[0].content }}{# <|channel|> #}";
    let harmony = ChatTemplate::for_model(&header, &tokenizer, Some(source)).unwrap();
    for (tool_choice, calls) in [("auto", 1), ("none", 0)] {
        let more = json!({ "tools": tools, "tool_choice": tool_choice });
        let (mut choice, _) = choices(more, &harmony).unwrap();
        let parser = choice.parser.as_mut().unwrap();
        let mut parts = parser.push("<|channel|>commentary to=functions.get_weather<|message|>{}");
        parts.extend(parser.finish());
        let called = parts.iter().filter(|part| matches!(part, Part::Call(_)));
        assert_eq!(called.count(), calls, "{parts:?}");
    }
    let plain =
        ChatTemplate::for_model(&header, &tokenizer, Some("{{ messages[0].content }}")).unwrap();
    let error = choices(json!({ "tools": tools }), &plain).unwrap_err();
    is_refused(error, Some("tools"), "its chat template knows none");
    choices(json!({ "tools": tools, "tool_choice": "none" }), &plain).unwrap();

    let said = "<think>Hm.</think>\n\nI look.\n<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo\"}}\n\
        </tool_call>\n<tool_call>{\"name\": \"get_weather\", \"arguments\": {}}</tool_call>";
    let respond = |more: Value| -> Vec<Value> {
        let (choice, request) = choices(more, &template).unwrap();
        let mut responder = Responder::new(&request, "1", 0, "m");
        let mut sent: Vec<_> = responder.begin(0, &choice).into_iter().collect();
        for piece in said.split_inclusive([' ', '>']) {
            sent.extend(responder.event(0, &choice, &told(piece, 1)));
        }
        let finish = Event::Finish {
            reason: FinishReason::Stop,
            stop: None,
            usage: Usage::default(),
        };
        sent.extend(responder.event(0, &choice, &finish));
        sent.extend(responder.end());
        sent
    };
    let completion = &respond(json!({ "tools": tools }))[0];
    // Every piece counts as one token here: the thought is the first.
    assert_eq!(
        completion["usage"]["completion_tokens_details"]["reasoning_tokens"],
        1
    );
    let whole = &completion["choices"][0];
    assert_eq!(whole["finish_reason"], "tool_calls");
    let message = &whole["message"];
    assert_eq!(
        (&message["content"], &message["reasoning_content"]),
        (&json!("I look."), &json!("Hm."))
    );
    let calls = message["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2);
    assert_eq!(
        calls[0]["function"],
        json!({ "name": "get_weather", "arguments": "{\"city\":\"Oslo\"}" })
    );
    let ids: Vec<_> = calls
        .iter()
        .map(|call| call["id"].as_str().unwrap())
        .collect();
    assert!(
        ids[0] != ids[1] && ids.iter().all(|id| id.len() == 9),
        "{ids:?}"
    );
    // Back into the conversation as it is.
    ChatRequest::parse(&json!({ "messages": [message] }).to_string()).unwrap();

    let one = respond(json!({ "tools": tools, "parallel_tool_calls": false }));
    assert_eq!(
        one[0]["choices"][0]["message"]["tool_calls"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let none = &respond(json!({}))[0]["choices"][0];
    assert_eq!(none["finish_reason"], "stop");
    assert!(
        none["message"]["content"]
            .as_str()
            .unwrap()
            .contains("<tool_call>"),
        "it was not asked to"
    );

    let chunks = respond(json!({ "tools": tools, "stream": true }));
    let deltas: Vec<_> = chunks.iter().map(|it| &it["choices"][0]["delta"]).collect();
    let text = |key: &str| -> String { deltas.iter().filter_map(|it| it[key].as_str()).collect() };
    assert_eq!(
        (text("content"), text("reasoning_content")),
        ("I look.".to_owned(), "Hm.".to_owned())
    );
    let calls: Vec<_> = deltas
        .iter()
        .filter_map(|it| it["tool_calls"].as_array())
        .collect();
    assert_eq!((calls.len(), &calls[1][0]["index"]), (2, &json!(1)));
    assert_eq!(
        chunks.last().unwrap()["choices"][0]["finish_reason"],
        "tool_calls"
    );
}

/// What the answer to a request is held to.
pub(super) fn held(more: Value) -> Option<Grammar> {
    let gguf = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
    let Parsed::Done(header) = Header::from_gguf(gguf).unwrap() else {
        panic!("the file is whole");
    };
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap();
    let source = "{{ messages[0].content }}{# <tool_call> #}";
    let template = ChatTemplate::for_model(&header, &tokenizer, Some(source)).unwrap();
    let request = TextRequest::Chat(parse(more));
    let mut choices = request.choices(&template, &tokenizer, 512, 0).unwrap();
    choices.remove(0).generate.grammar
}

#[test]
fn arguments_are_objects_whatever_their_schema_leaves_open() {
    let grammar = |parameters: Value| {
        let function = json!({ "name": "f", "parameters": parameters });
        let tools = json!({ "tools": [{ "type": "function", "function": function }] });
        parse(tools).tools.callable().remove(0).arguments
    };
    let param = "tools[0].function.parameters";
    let object = Grammar::json(&json!({ "type": "object" }), param);
    assert_eq!(grammar(json!({})), object);
    assert_eq!(grammar(json!(true)), object);
    let schema = json!({ "properties": { "a": {} }, "type": "object" });
    assert_eq!(
        grammar(json!({ "properties": { "a": {} } })),
        Grammar::json(&schema, param)
    );
}

#[test]
fn an_answer_is_held_to_calls_only_where_tools_must_be_called() {
    let other = json!({ "type": "function", "function": { "name": "stop" } });
    let tools = json!([weather(), other]);
    let with = |more: Value| {
        let mut all = json!({ "tools": tools });
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        held(all)
    };
    let callable = |names: &[&str]| -> Vec<Callable> {
        let all = parse(json!({ "tools": tools })).tools.callable();
        all.into_iter()
            .filter(|tool| names.contains(&tool.name.as_str()))
            .collect()
    };
    let style = Style::of("<tool_call>", None);
    let calls = |names: &[&str], is_single| Saying::Calls(callable(names), is_single);
    let both = ["get_weather", "stop"];
    let function = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let allowed = |mode: &str| json!({ "type": "allowed_tools", "allowed_tools": { "mode": mode, "tools": [function("stop")] } });
    let format = json!({ "type": "json_object" });
    let object = Saying::Text(Grammar::json(
        &json!({ "type": "object" }),
        "response_format",
    ));
    let either = Saying::Either(Box::new(calls(&both, false)), Box::new(object.clone()));
    for (more, saying) in [
        (json!({}), None),
        (json!({ "tool_choice": "auto" }), None),
        (json!({ "tool_choice": "none" }), None),
        (json!({ "tool_choice": allowed("auto") }), None),
        (
            json!({ "tool_choice": "required" }),
            Some(calls(&both, false)),
        ),
        (
            json!({ "tool_choice": "required", "parallel_tool_calls": false }),
            Some(calls(&both, true)),
        ),
        (
            json!({ "tool_choice": allowed("required") }),
            Some(calls(&["stop"], false)),
        ),
        (
            json!({ "tool_choice": function("get_weather") }),
            Some(calls(&["get_weather"], true)),
        ),
        (json!({ "response_format": format }), Some(either)),
        (
            json!({ "response_format": format, "tool_choice": "none" }),
            Some(object),
        ),
        (
            json!({ "response_format": format, "tool_choice": "required" }),
            Some(calls(&both, false)),
        ),
    ] {
        let expected = saying.map(|saying| style.grammar("Hi", &saying).unwrap());
        assert_eq!(with(more.clone()), expected, "{more}");
    }
}
