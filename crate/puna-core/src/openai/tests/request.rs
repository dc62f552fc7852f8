use super::*;
use crate::chat::{ChatTemplate, Message, Role};
use crate::openai::{CompletionRequest, EmbeddingsRequest, Options, ROUTES, ResponsesRequest};
use crate::sampler::SamplingParams;
use crate::session::Retention;
use crate::tokenizer::Tokenizer;
use crate::weights::header::{Header, Parsed};

#[test]
fn a_request_says_how_to_answer() {
    let request = parse(json!({
        "model": "smollm2", "stream": true, "stream_options": { "include_usage": true },
        "max_completion_tokens": 7, "stop": ["a", "b"], "seed": 42,
        "temperature": 0.5, "top_p": 0.25, "presence_penalty": -2, "frequency_penalty": 2,
        "logit_bias": { "5": -100, "6": 1.5 }, "top_k": 40, "min_p": 0.125, "repetition_penalty": 1.25, "n": 3,
        "logprobs": true, "top_logprobs": 5,
    }));
    assert_eq!(
        request.messages,
        [Message::new(Role::User, "Hi")],
        "messages"
    );
    let sampling = SamplingParams {
        temperature: 0.5,
        top_k: 40,
        top_p: 0.25,
        min_p: 0.125,
        repetition_penalty: 1.25,
        presence_penalty: -2.0,
        frequency_penalty: 2.0,
        logit_bias: vec![(5, -100.0), (6, 1.5)],
        seed: 42,
    };
    let expected = Options {
        grammar: None,
        adapters: None,
        retention: Retention::Usual,
        model: Some("smollm2".to_owned()),
        sampling,
        seed: Some(42),
        stop: vec!["a".to_owned(), "b".to_owned()],
        max_tokens: Some(7),
        logprobs: Some(5),
        n: 3,
        stream: true,
        include_usage: true,
    };
    assert_eq!(request.options, expected, "options");
}

#[test]
fn what_is_not_given_or_null_is_the_default() {
    let nulls = json!({
        "model": null, "stream": null, "stream_options": null, "max_tokens": null, "stop": null, "seed": null,
        "temperature": null, "logit_bias": null, "tools": null, "response_format": null, "n": null, "user": null,
    });
    for request in [parse(json!({})), parse(nulls)] {
        assert_eq!(
            request.options,
            Options::default(),
            "OpenAI's: temperature and top_p 1"
        );
    }
    assert_eq!(
        parse(json!({ "max_tokens": 3 })).options.max_tokens,
        Some(3),
        "the older name"
    );
    assert_eq!(
        parse(json!({ "stop": "x" })).options.stop,
        ["x"],
        "one string"
    );
    assert_eq!(
        parse(json!({ "seed": -1 })).options.seed,
        Some(u64::MAX),
        "two's complement"
    );
    assert_eq!(
        parse(json!({ "seed": u64::MAX })).options.seed,
        Some(u64::MAX),
        "the largest"
    );
}

#[test]
fn what_changes_nothing_is_accepted() {
    parse(json!({ "user": "u", "metadata": { "a": "b" }, "store": false, "service_tier": "auto" }));
    parse(
        json!({ "logprobs": false, "response_format": { "type": "text" }, "modalities": ["text"], "tool_choice": "none" }),
    );
    parse(json!({ "stream": true, "stream_options": { "include_obfuscation": false } }));
}

#[test]
fn an_effort_is_told_to_the_template() {
    let of = |effort: &str| {
        let request = parse(json!({ "reasoning_effort": effort }));
        (request.thinks, request.effort)
    };
    assert_eq!(of("none"), (Some(false), None));
    assert_eq!(of("minimal"), (Some(true), Some("low")));
    assert_eq!(of("high"), (Some(true), Some("high")));
    refused(
        json!({ "reasoning_effort": "some" }),
        "reasoning_effort",
        "'medium'",
    );
    assert_eq!(parse(json!({})).thinks, None);
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let unsupported = [
        ("functions", json!([])),
        ("function_call", json!("auto")),
        ("modalities", json!(["text", "audio"])),
        ("audio", json!({})),
        ("prediction", json!({})),
        ("verbosity", json!("low")),
        ("web_search_options", json!({})),
    ];
    for (key, value) in unsupported {
        refused(
            json!({ key: value }),
            key,
            &format!("'{key}' is not supported"),
        );
    }
    refused(
        json!({ "temprature": 1 }),
        "temprature",
        "Unrecognized request argument supplied: temprature",
    );
    refused(
        json!({ "temprature": null }),
        "temprature",
        "Unrecognized request argument supplied: temprature",
    );
    refused(
        json!({ "stream": true, "stream_options": { "x": 1 } }),
        "stream_options.x",
        "Unrecognized",
    );
}

#[test]
fn ranges_and_types_are_checked() {
    refused(
        json!({ "temperature": 2.1 }),
        "temperature",
        "Expected a value <= 2, but got 2.1 instead.",
    );
    refused(
        json!({ "temperature": -0.1 }),
        "temperature",
        "Expected a value >= 0, but got -0.1 instead.",
    );
    refused(
        json!({ "temperature": "hot" }),
        "temperature",
        "expected a decimal, but got a string instead.",
    );
    refused(json!({ "top_p": 1.1 }), "top_p", "<= 1");
    refused(json!({ "min_p": -1 }), "min_p", ">= 0");
    refused(json!({ "presence_penalty": 3 }), "presence_penalty", "<= 2");
    refused(
        json!({ "frequency_penalty": -3 }),
        "frequency_penalty",
        ">= -2",
    );
    refused(
        json!({ "repetition_penalty": 0 }),
        "repetition_penalty",
        ">= 0.01",
    );
    refused(json!({ "top_k": -1 }), "top_k", ">= 0");
    refused(
        json!({ "top_k": 1.5 }),
        "top_k",
        "expected an integer, but got a decimal instead.",
    );
    refused(json!({ "max_tokens": 0 }), "max_tokens", ">= 1");
    refused(
        json!({ "max_completion_tokens": 5_000_000_000_u64 }),
        "max_completion_tokens",
        "<=",
    );
    refused(json!({ "max_tokens": u64::MAX }), "max_tokens", "<=");
    refused(json!({ "n": "one" }), "n", "an integer");
    refused(json!({ "n": 0 }), "n", ">= 1");
    refused(json!({ "logprobs": 1 }), "logprobs", "a boolean");
    refused(
        json!({ "logprobs": true, "top_logprobs": 21 }),
        "top_logprobs",
        "<= 20",
    );
    refused(
        json!({ "top_logprobs": 1 }),
        "top_logprobs",
        "only allowed when 'logprobs'",
    );
    refused(json!({ "n": 129 }), "n", "<= 128");
    refused(json!({ "seed": 1.5 }), "seed", "integer");
    refused(json!({ "stream": 1 }), "stream", "a boolean");
    refused(json!({ "model": 1 }), "model", "a string");
    refused(json!({ "stop": 1 }), "stop", "a string or array");
    refused(json!({ "stop": [] }), "stop", "1 to 4 strings, but got 0");
    refused(
        json!({ "stop": ["a", "b", "c", "d", "e"] }),
        "stop",
        "1 to 4 strings, but got 5",
    );
    refused(json!({ "stop": ["a", ""] }), "stop", "empty");
    refused(json!({ "stop": ["a", 1] }), "stop", "a string");
    refused(json!({ "logit_bias": { "x": 1 } }), "logit_bias", "x");
    refused(
        json!({ "logit_bias": { "5": 101 } }),
        "logit_bias.5",
        "<= 100",
    );
    refused(json!({ "logit_bias": [] }), "logit_bias", "an object");
    refused(
        json!({ "max_tokens": 1, "max_completion_tokens": 1 }),
        "max_tokens",
        "at the same time",
    );
    refused(
        json!({ "stream_options": { "include_usage": true } }),
        "stream_options",
        "only allowed when 'stream'",
    );
}

#[test]
fn a_body_that_is_no_request_is_refused() {
    refused_body("", None, "parse the JSON body");
    refused_body("{", None, "parse the JSON body");
    refused_body(r#"{"temperature": 1e999}"#, None, "parse the JSON body");
    refused_body(&"[".repeat(100_000), None, "parse the JSON body");
    refused_body("[]", None, "JSON object");
    refused_body(
        "{}",
        Some("messages"),
        "Missing required parameter: 'messages'",
    );
}

#[test]
fn messages_are_text_of_known_roles() {
    let request = json!({ "messages": [
        { "role": "system", "content": "s" },
        { "role": "developer", "content": "d" },
        { "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "text", "text": "b" }], "name": "Ada" },
        { "role": "assistant", "content": "", "refusal": null, "annotations": [], "tool_calls": null },
        { "role": "tool", "content": "3", "tool_call_id": "call_1" },
    ]});
    let messages = ChatRequest::parse(&request.to_string()).unwrap().messages;
    let roles: Vec<Role> = messages.iter().map(|message| message.role).collect();
    assert_eq!(
        roles,
        [
            Role::System,
            Role::Developer,
            Role::User,
            Role::Assistant,
            Role::Tool
        ],
        "roles"
    );
    assert_eq!(messages[2].content, "a\nb", "parts are joined");
    assert_eq!(messages[2].name.as_deref(), Some("Ada"), "name");
    assert_eq!(
        messages[4].tool_call_id.as_deref(),
        Some("call_1"),
        "tool_call_id"
    );
}

#[test]
fn other_messages_are_refused_with_their_place() {
    refused_messages(json!([]), "messages", "empty array");
    refused_messages(json!(null), "messages", "an array");
    refused_messages(json!("Hi"), "messages", "an array");
    refused_messages(json!(["Hi"]), "messages[0]", "an object");
    refused_messages(
        json!([{ "content": "Hi" }]),
        "messages[0].role",
        "Missing required",
    );
    refused_messages(
        json!([{ "role": "user" }]),
        "messages[0].content",
        "Missing required",
    );
    refused_messages(
        json!([{ "role": "king", "content": "Hi" }]),
        "messages[0].role",
        "Invalid value for 'messages[0].role': 'king'. Supported values are: 'system'",
    );
    refused_messages(
        json!([{ "role": 1, "content": "Hi" }]),
        "messages[0].role",
        "a string",
    );
    let second = |message: Value| json!([{ "role": "user", "content": "Hi" }, message]);
    refused_messages(
        second(json!({ "role": "assistant", "content": null })),
        "messages[1].content",
        "a string or array",
    );
    refused_messages(
        second(json!({ "role": "assistant", "content": "", "tool_calls": [{}] })),
        "messages[1].tool_calls[0].id",
        "Missing required",
    );
    refused_messages(
        second(json!({ "role": "user", "content": "", "colour": "red" })),
        "messages[1].colour",
        "Unrecognized",
    );
    refused_messages(
        second(json!({ "role": "user", "content": [] })),
        "messages[1].content",
        "empty array",
    );
    refused_messages(
        second(json!({ "role": "user", "content": ["x"] })),
        "messages[1].content[0]",
        "an object",
    );
    refused_messages(
        second(json!({ "role": "user", "content": [{ "text": "x" }] })),
        "messages[1].content[0].type",
        "Missing required",
    );
    refused_messages(
        second(json!({ "role": "user", "content": [{ "type": "text" }] })),
        "messages[1].content[0].text",
        "Missing required",
    );
    let image = json!([{ "type": "text", "text": "x" }, { "type": "image_url", "image_url": { "url": "x" } }]);
    refused_messages(
        second(json!({ "role": "user", "content": image })),
        "messages[1].content[1].type",
        "'image_url'",
    );
}

#[test]
fn a_request_becomes_a_prompt() {
    let gguf = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
    let Parsed::Done(header) = Header::from_gguf(gguf).unwrap() else {
        panic!("the file is whole");
    };
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap();
    let request = |more: Value| TextRequest::Chat(parse(more));
    let bare = ChatTemplate::for_model(&header, &tokenizer, None).unwrap();
    let limits = json!({ "stop": "x", "max_tokens": 9, "top_k": 3 });
    let error = request(limits.clone()).choices(&bare, &tokenizer, 512, 0);
    let error = error.unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest, "{error}");
    assert!(error.message().contains("`chat_template`"), "{error}");
    let source = "{{ bos_token }}{% for m in messages %}{{ m.content }}<|eot_id|>{% endfor %}";
    let template = ChatTemplate::for_model(&header, &tokenizer, Some(source)).unwrap();
    let choices = |request: &TextRequest| request.choices(&template, &tokenizer, 512, 77);
    let one = choices(&request(limits)).unwrap();
    let [Choice { generate, .. }] = one.as_slice() else {
        panic!("one answer is wanted");
    };
    // <|begin_of_text|> once, H, i, <|eot_id|>.
    assert_eq!(
        generate.prompt,
        [379, 39, 72, 383],
        "the template's tokens and no others"
    );
    assert_eq!(
        (generate.sampling.seed, generate.sampling.top_k),
        (77, 3),
        "a random seed"
    );
    assert_eq!(
        (&generate.stop, generate.max_tokens),
        (&vec!["x".to_owned()], Some(9)),
        "limits"
    );
    let seeds = |more: Value| -> Vec<u64> {
        let choices = choices(&request(more)).unwrap();
        choices.iter().map(|it| it.generate.sampling.seed).collect()
    };
    assert_eq!(seeds(json!({ "seed": 5 })), [5], "the request's seed");
    assert_eq!(
        seeds(json!({ "seed": -1, "n": 2 })),
        [u64::MAX, 0],
        "one each"
    );

    let long = request(json!({}));
    let error = long.choices(&template, &tokenizer, 4, 0).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ContextLengthExceeded, "{error}");

    let texts =
        |body: Value| TextRequest::Completion(CompletionRequest::parse(&body.to_string()).unwrap());
    let both = choices(&texts(
        json!({ "prompt": ["Hi", "H"], "n": 2, "echo": true }),
    ))
    .unwrap();
    let of: Vec<_> = both
        .iter()
        .map(|it| {
            (
                it.prompt,
                it.echo.as_deref().unwrap(),
                it.generate.prompt.as_slice(),
            )
        })
        .collect();
    let (first, second) = ((0, "Hi", &[379, 39, 72][..]), (1, "H", &[379, 39][..]));
    assert_eq!(
        of,
        [first, first, second, second],
        "BOS in front, nothing behind"
    );
    assert_eq!(both[0].generate.max_tokens, Some(16), "OpenAI's default");
    let ids = choices(&texts(json!({ "prompt": [39, 72], "echo": true }))).unwrap();
    assert_eq!(ids[0].generate.prompt, [39, 72], "as they are");
    assert_eq!(ids[0].echo.as_deref(), Some("Hi"));
    assert_eq!(ids[0].scores(), None, "nobody asked");
    let told = json!({ "prompt": [[39, 72], [39]], "echo": true, "logprobs": 1, "max_tokens": 0 });
    let told = choices(&texts(told.clone())).unwrap();
    assert!(told.iter().all(|it| it.scores() == Some(1)));
    let Some(Event::Finish { reason, usage, .. }) = told[0].without_tokens() else {
        panic!("nothing is generated");
    };
    assert_eq!((reason, usage.prompt_tokens), (FinishReason::Length, 2));
    let generated = choices(&texts(json!({ "prompt": "H", "logprobs": 1 }))).unwrap();
    assert_eq!(
        (generated[0].scores(), generated[0].without_tokens()),
        (None, None)
    );
    // A prompt that nothing follows may fill the context, and no more.
    let fills = |room: u32| {
        let whole = texts(json!({ "prompt": [39, 72], "echo": true, "max_tokens": 0 }));
        whole.choices(&template, &tokenizer, room, 0).map(|_| ())
    };
    fills(2).unwrap();
    let error = fills(1).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ContextLengthExceeded, "{error}");
    let error = choices(&texts(json!({ "prompt": [[39], [384]] }))).unwrap_err();
    is_refused(
        error,
        Some("prompt"),
        "'prompt[1]': token 384 is outside the vocabulary of 384",
    );
}

#[test]
fn texts_to_go_on_with_are_read_by_their_own_rules() {
    let request = json!({
        "prompt": "Hi", "max_tokens": 5, "echo": true, "best_of": 2, "n": 2, "temperature": 0, "user": "u",
        "suffix": null, "logprobs": null, "stream": true, "stream_options": { "include_usage": true },
    });
    let request = CompletionRequest::parse(&request.to_string()).unwrap();
    assert!(request.echo);
    assert_eq!(
        (request.options.max_tokens, request.options.n),
        (Some(5), 2)
    );
    for (more, param, says, reason) in [
        (json!({}), "prompt", "Missing", "missing_required_parameter"),
        (
            json!({ "prompt": [] }),
            "prompt",
            "empty array",
            "empty_array",
        ),
        (
            json!({ "prompt": 1 }),
            "prompt",
            "expected a string",
            "invalid_type",
        ),
        (
            json!({ "prompt": "a", "best_of": 3 }),
            "best_of",
            "the same as 'n'",
            "unsupported_value",
        ),
        (
            json!({ "prompt": "a", "suffix": "b" }),
            "suffix",
            "not supported",
            "unsupported_parameter",
        ),
        (
            json!({ "prompt": "a", "logprobs": 6 }),
            "logprobs",
            "<= 5",
            "integer_above_max_value",
        ),
        (
            json!({ "prompt": "a", "max_tokens": 0 }),
            "max_tokens",
            ">= 1",
            "integer_below_min_value",
        ),
        (
            json!({ "prompt": "a", "messages": [] }),
            "messages",
            "Unrecognized",
            "unknown_parameter",
        ),
        (
            json!({ "prompt": "a", "temperature": 3 }),
            "temperature",
            "<= 2",
            "decimal_above_max_value",
        ),
        (
            json!({ "prompt": "a", "n": 0 }),
            "n",
            ">= 1",
            "integer_below_min_value",
        ),
    ] {
        let error = CompletionRequest::parse(&more.to_string()).expect_err(&more.to_string());
        assert_eq!(error.details()["reason"], reason, "{error}");
        is_refused(error, Some(param), says);
    }
}

/// OpenAI's `code`s, which clients branch on.
#[test]
fn refusals_have_openais_codes() {
    for (more, reason) in [
        (json!({ "temperature": "hot" }), "invalid_type"),
        (json!({ "temperature": 3 }), "decimal_above_max_value"),
        (json!({ "top_k": -1 }), "integer_below_min_value"),
        (json!({ "audio": {} }), "unsupported_parameter"),
        (json!({ "temprature": 1 }), "unknown_parameter"),
        (json!({ "messages": [] }), "empty_array"),
        (
            json!({ "messages": [{ "role": "king", "content": "" }] }),
            "invalid_value",
        ),
        (
            json!({ "messages": [{ "role": "user" }] }),
            "missing_required_parameter",
        ),
        (
            json!({ "max_tokens": 1, "max_completion_tokens": 1 }),
            "invalid_parameter_combination",
        ),
    ] {
        let error = ChatRequest::parse(&body(more).to_string()).expect_err(reason);
        assert_eq!(error.details()["reason"], reason, "{error}");
    }
}

/// What is documented is what is done.
#[test]
fn fields_are_followed_ignored_or_refused_as_their_lists_say() {
    let refusal = |path: &str, body: &Value| -> Option<[String; 2]> {
        let body = body.to_string();
        let error = match path {
            "/v1/chat/completions" => ChatRequest::parse(&body).err(),
            "/v1/completions" => CompletionRequest::parse(&body).err(),
            "/v1/responses" => ResponsesRequest::parse(&body).err(),
            "/v1/messages" => crate::anthropic::parse(&body).err(),
            _ => EmbeddingsRequest::parse(&body).err(),
        };
        let error = error?;
        let detail = |key: &str| error.details()[key].as_str().unwrap_or_default().to_owned();
        Some([detail("reason"), detail("param")])
    };
    for route in ROUTES {
        let main = route.supported().next().unwrap();
        let with = |field: &str, value: Value| {
            let content = match main {
                "messages" => json!([{ "role": "user", "content": "Hi" }]),
                _ => json!("Hi"),
            };
            let mut body = json!({ main: content });
            if route.path == "/v1/messages" {
                body["max_tokens"] = json!(5);
            }
            body[field] = value;
            refusal(route.path, &body)
        };
        let reason = |field: &str, value: Value| with(field, value).map(|[reason, _]| reason);
        // No field is both an object of this and anything else.
        let odd = json!({ "odd": [] });
        for field in route.supported() {
            let [reason, param] = with(field, odd.clone()).unwrap_or_default();
            let is_read = !["unknown_parameter", "unsupported_parameter"].contains(&&*reason);
            assert!(is_read || param != field, "{field}: {reason}");
            let is_required =
                field == main || (route.path, field) == ("/v1/messages", "max_tokens");
            if !is_required {
                assert_eq!(with(field, Value::Null), None, "{field}");
            }
        }
        for field in route.ignored {
            assert_eq!(with(field, odd.clone()), None, "{field}");
        }
        for field in route.refused {
            let reason = reason(field, odd.clone());
            assert_eq!(reason.as_deref(), Some("unsupported_parameter"), "{field}");
            assert_eq!(with(field, Value::Null), None, "{field}");
        }
        let reason = reason("odd", odd);
        assert_eq!(
            reason.as_deref(),
            Some("unknown_parameter"),
            "{}",
            route.path
        );
    }
}
