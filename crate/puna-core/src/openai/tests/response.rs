use super::*;
use crate::chat::{OutputParser, Style};
use crate::generate::{LogProb, TokenLogProb};
use crate::openai::CompletionRequest;
use crate::score::Score;
use crate::tokenizer::{Special, Tokenizer};
use crate::weights::header::{Header, Parsed};

#[test]
fn an_answer_is_one_completion() {
    let expected = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{
            "index": 0, "message": { "role": "assistant", "content": "Hello", "refusal": null },
            "logprobs": null, "finish_reason": "length",
        }],
        "usage": usage(),
    });
    assert_eq!(respond(json!({})), [expected], "at the end");
}

#[test]
fn a_streamed_answer_is_chunks() {
    let chunk = |delta: Value, reason: Value| {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m",
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": reason }],
        })
    };
    let mut expected = vec![
        chunk(
            json!({ "role": "assistant", "content": "", "refusal": null }),
            json!(null),
        ),
        chunk(json!({ "content": "Hel" }), json!(null)),
        chunk(json!({ "content": "lo" }), json!(null)),
        chunk(json!({}), json!("length")),
    ];
    assert_eq!(
        respond(json!({ "stream": true })),
        expected,
        "who, what, why"
    );
    let last = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m",
        "choices": [], "usage": usage(),
    });
    for chunk in &mut expected {
        chunk["usage"] = json!(null);
    }
    expected.push(last);
    let got = respond(json!({ "stream": true, "stream_options": { "include_usage": true } }));
    assert_eq!(got, expected, "and how much");
}

#[test]
fn several_answers_have_an_index_and_read_their_prompt_once() {
    let [answer] = &respond(json!({ "n": 2 }))[..] else {
        panic!("one completion");
    };
    let choices = answer["choices"].as_array().unwrap();
    assert_eq!([&choices[0]["index"], &choices[1]["index"]], [0, 1]);
    assert_eq!(choices[1]["message"]["content"], "Hello");
    assert_eq!(answer["usage"]["prompt_tokens"], 5);
    assert_eq!(answer["usage"]["completion_tokens"], 4);

    let chunks =
        respond(json!({ "n": 2, "stream": true, "stream_options": { "include_usage": true } }));
    let of = |index: usize| {
        let of_it = chunks
            .iter()
            .filter(|it| it["choices"][0]["index"] == index);
        of_it.count()
    };
    assert_eq!((of(0), of(1), chunks.len()), (4, 4, 9));
    assert_eq!(chunks[8]["usage"]["total_tokens"], 9);
}

/// Pieces of two answers by turns, of which the second ends first.
#[test]
fn answers_that_are_made_side_by_side_are_told_apart() {
    for stream in [false, true] {
        let request = json!({
            "messages": [{ "role": "user", "content": "x" }], "n": 2, "stream": stream,
            "stream_options": if stream { json!({ "include_usage": true }) } else { json!(null) },
        });
        let request = TextRequest::Chat(ChatRequest::parse(&request.to_string()).unwrap());
        let mut responder = Responder::new(&request, "1", 0, "m");
        let choice = Choice {
            generate: GenerateRequest::default(),
            prompt: 0,
            echo: None,
            parser: Some(OutputParser::new(Style::default(), Vec::new(), "", None)),
            is_single: false,
        };
        let finish = |cached_tokens| Event::Finish {
            reason: FinishReason::Stop,
            stop: None,
            usage: Usage {
                prompt_tokens: 5,
                cached_tokens,
                completion_tokens: 2,
            },
        };
        let mut sent = responder.begin(0, &choice);
        let mut tell = |index, event: &Event| responder.event(index, &choice, event);
        sent.extend(tell(0, &told("A", 1)));
        sent.extend(responder.begin(1, &choice));
        let mut tell = |index, event: &Event| responder.event(index, &choice, event);
        sent.extend(tell(1, &told("B", 1)));
        sent.extend(tell(0, &told("a", 2)));
        sent.extend(tell(1, &told("b", 2)));
        // It shared what the first one has read.
        sent.extend(tell(1, &finish(4)));
        sent.extend(tell(0, &finish(0)));
        sent.extend(responder.end());
        let last = sent.last().unwrap();
        let usage = &last["usage"];
        assert_eq!(
            (&usage["prompt_tokens"], &usage["completion_tokens"]),
            (&json!(5), &json!(4))
        );
        let cached = &usage["prompt_tokens_details"]["cached_tokens"];
        assert_eq!(cached, 0, "the prompt was read once, by the first");
        if !stream {
            let text = |ix: usize| &last["choices"][ix]["message"]["content"];
            assert_eq!((text(0), text(1)), (&json!("Aa"), &json!("Bb")));
            continue;
        }
        let of = |index: usize| -> String {
            let own = sent.iter().map(|it| &it["choices"][0]);
            let own = own.filter(|it| it["index"] == index);
            own.filter_map(|it| it["delta"]["content"].as_str())
                .collect()
        };
        assert_eq!((of(0), of(1)), ("Aa".to_owned(), "Bb".to_owned()));
    }
}

#[test]
fn texts_are_answered_by_text_completions() {
    let request =
        |more: Value| TextRequest::Completion(CompletionRequest::parse(&more.to_string()).unwrap());
    let whole = respond_to(&request(json!({ "prompt": "x" })), "");
    let expected = json!({
        "id": "cmpl-1", "object": "text_completion", "created": 1_700_000_000, "model": "m",
        "choices": [{ "index": 0, "text": "Hello", "logprobs": null, "finish_reason": "length" }],
        "usage": usage(),
    });
    assert_eq!(whole, [expected]);
    let whole = respond_to(&request(json!({ "prompt": "x" })), "Oh. ");
    assert_eq!(whole[0]["choices"][0]["text"], "Oh. Hello", "echoed");
    let chunks = respond_to(&request(json!({ "prompt": "x", "stream": true })), "Oh. ");
    let texts: Vec<_> = chunks
        .iter()
        .map(|it| it["choices"][0]["text"].clone())
        .collect();
    assert_eq!(texts, ["Oh. ", "Hel", "lo", ""]);
    assert!(
        chunks
            .iter()
            .all(|it| it["object"] == "text_completion" && it["id"] == "cmpl-1")
    );
    assert_eq!(chunks[3]["choices"][0]["finish_reason"], "length");
}

#[test]
fn what_the_model_thought_of_tokens_stands_beside_their_text() {
    let of = |text: &[u8], logprob: f32| LogProb {
        bytes: text.to_vec(),
        logprob,
    };
    let tokens = vec![
        TokenLogProb {
            token: of("é".as_bytes(), -0.5),
            top: vec![of("é".as_bytes(), -0.5), of(b"x", -1.5)],
        },
        TokenLogProb {
            token: of(&[0xc3], f32::NEG_INFINITY),
            top: Vec::new(),
        },
    ];
    let said = [
        Event::Tokens(tokens),
        told("é?", 2),
        Event::Finish {
            reason: FinishReason::Stop,
            stop: None,
            usage: Usage::default(),
        },
    ];
    let respond = |request: &TextRequest| -> Vec<Value> {
        let mut responder = Responder::new(request, "1", 0, "m");
        let choice = Choice {
            generate: GenerateRequest::default(),
            prompt: 0,
            echo: None,
            parser: None,
            is_single: false,
        };
        let mut sent: Vec<_> = responder.begin(0, &choice).into_iter().collect();
        sent.extend(
            said.iter()
                .flat_map(|event| responder.event(0, &choice, event)),
        );
        sent.extend(responder.end());
        sent
    };
    let content = json!([
        {
            "token": "é", "logprob": -0.5, "bytes": [0xc3, 0xa9],
            "top_logprobs": [
                { "token": "é", "logprob": -0.5, "bytes": [0xc3, 0xa9] },
                { "token": "x", "logprob": -1.5, "bytes": [0x78] },
            ],
        },
        { "token": "\u{fffd}", "logprob": -9999.0, "bytes": [0xc3], "top_logprobs": [] },
    ]);
    let asked = json!({ "logprobs": true, "top_logprobs": 2 });
    let whole = respond(&TextRequest::Chat(parse(asked)));
    let expected = json!({ "content": content, "refusal": null });
    assert_eq!(whole[0]["choices"][0]["logprobs"], expected);
    let asked = json!({ "logprobs": true, "top_logprobs": 2, "stream": true });
    let chunks = respond(&TextRequest::Chat(parse(asked)));
    let told: Vec<_> = chunks
        .iter()
        .map(|it| &it["choices"][0]["logprobs"])
        .collect();
    assert_eq!(
        told,
        [&Value::Null, &expected, &Value::Null],
        "who, what, why"
    );
    let silent = respond(&TextRequest::Chat(parse(json!({}))));
    assert_eq!(silent[0]["choices"][0]["logprobs"], Value::Null);

    let asked = json!({ "prompt": "a", "logprobs": 2 }).to_string();
    let texts = TextRequest::Completion(CompletionRequest::parse(&asked).unwrap());
    assert_eq!(
        respond(&texts)[0]["choices"][0]["logprobs"],
        json!({
            "tokens": ["é", "\u{fffd}"], "token_logprobs": [-0.5, -9999.0],
            "top_logprobs": [{ "é": -0.5, "x": -1.5 }, {}], "text_offset": [0, 1],
        })
    );
}

#[test]
fn an_echoed_prompt_is_told_of_token_by_token() {
    let gguf = include_bytes!("../../../../../tests/golden/llama-256/llama-256-Q4_1.gguf");
    let Parsed::Done(header) = Header::from_gguf(gguf).unwrap() else {
        panic!("the file is whole");
    };
    let tokenizer = Tokenizer::from_gguf(&header.metadata).unwrap();
    let ids = tokenizer.encode("Hi", Special::Parse).unwrap();
    let [first, second] = ids[..] else {
        panic!("two tokens: {ids:?}");
    };
    let score = Score {
        ids: vec![first, second],
        logprobs: vec![None, Some(-0.5)],
        tops: vec![vec![(first, -0.25), (second, -0.5)]],
    };
    let of = |more: Value, echo: Option<&str>, is_told: bool| -> Vec<Value> {
        let mut asked = json!({ "prompt": "Hi", "echo": true, "logprobs": 2 });
        asked
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let request =
            TextRequest::Completion(CompletionRequest::parse(&asked.to_string()).unwrap());
        let mut responder = Responder::new(&request, "1", 0, "m");
        let choice = Choice {
            generate: GenerateRequest {
                prompt: ids.clone(),
                max_tokens: request.options().max_tokens,
                ..GenerateRequest::default()
            },
            prompt: 0,
            echo: echo.map(str::to_owned),
            parser: None,
            is_single: false,
        };
        let mut sent = Vec::new();
        for index in 0..request.options().n as usize {
            if is_told {
                responder.scored(index, &score, &tokenizer);
            }
            sent.extend(responder.begin(index, &choice));
            if let Some(finish) = choice.without_tokens() {
                sent.extend(responder.event(index, &choice, &finish));
                continue;
            }
            let token = LogProb {
                bytes: b"!".to_vec(),
                logprob: -1.0,
            };
            let top = vec![token.clone()];
            let said = Event::Tokens(vec![TokenLogProb { token, top }]);
            sent.extend(responder.event(index, &choice, &said));
            sent.extend(responder.event(index, &choice, &told("!", 1)));
            let usage = Usage {
                prompt_tokens: 2,
                cached_tokens: 1,
                completion_tokens: 1,
            };
            let finish = Event::Finish {
                reason: FinishReason::Length,
                stop: None,
                usage,
            };
            sent.extend(responder.event(index, &choice, &finish));
        }
        sent.extend(responder.end());
        sent
    };
    // As programs send it that compare answers by their probabilities.
    let [whole] = &of(json!({ "max_tokens": 0 }), Some("Hi"), true)[..] else {
        panic!("one completion");
    };
    let prompt = json!({
        "tokens": ["H", "i"], "token_logprobs": [null, -0.5],
        "top_logprobs": [null, { "H": -0.25, "i": -0.5 }], "text_offset": [0, 1],
    });
    let choice = &whole["choices"][0];
    assert_eq!(
        (&choice["text"], &choice["logprobs"]),
        (&json!("Hi"), &prompt)
    );
    assert_eq!(choice["finish_reason"], "length");
    assert_eq!(whole["usage"]["total_tokens"], 2);
    // What the model asks for in front of a text has no place in it.
    let whole = &of(json!({ "max_tokens": 0 }), Some("i"), true)[0]["choices"][0];
    let logprobs = &whole["logprobs"];
    assert_eq!(
        (&logprobs["tokens"], &logprobs["text_offset"]),
        (&json!(["H", "i"]), &json!([0, 0]))
    );
    // With a token behind it, of each of two answers.
    let [whole] = &of(json!({ "max_tokens": 1, "n": 2 }), Some("Hi"), true)[..] else {
        panic!("one completion");
    };
    let both = json!({
        "tokens": ["H", "i", "!"], "token_logprobs": [null, -0.5, -1.0],
        "top_logprobs": [null, { "H": -0.25, "i": -0.5 }, { "!": -1.0 }], "text_offset": [0, 1, 2],
    });
    for choice in whole["choices"].as_array().unwrap() {
        assert_eq!(
            (&choice["text"], &choice["logprobs"]),
            (&json!("Hi!"), &both)
        );
    }
    let cached = &whole["usage"]["prompt_tokens_details"]["cached_tokens"];
    assert_eq!(cached, 0, "it was read to be scored");
    // In a stream it is the first piece.
    let chunks = of(json!({ "max_tokens": 1, "stream": true }), Some("Hi"), true);
    let first = &chunks[0]["choices"][0];
    assert_eq!(
        (&first["text"], &first["logprobs"]),
        (&json!("Hi"), &prompt)
    );
    let second = &chunks[1]["choices"][0];
    assert_eq!(
        (&second["text"], &second["logprobs"]["text_offset"]),
        (&json!("!"), &json!([2]))
    );
    // Without it nothing of a prompt is told.
    let silent = &of(json!({ "max_tokens": 1 }), None, false)[0]["choices"][0];
    assert_eq!(
        (&silent["text"], &silent["logprobs"]["tokens"]),
        (&json!("!"), &json!(["!"]))
    );
}
