//! What is odd about an answer, on every wire.

use super::*;
use crate::anthropic::MessageResponder;
use crate::openai::{ResponsesRequest, ResponsesResponder};

/// Bodies of an answer to somebody who offered `f`.
fn answer(responder: &mut dyn Respond, said: &str) -> Vec<Value> {
    let choice = calling("<tool_call>");
    let text = said.to_owned();
    let finish = Event::Finish {
        reason: FinishReason::Stop,
        stop: None,
        usage: Usage::default(),
    };
    let mut sent = responder.begin(0, &choice);
    sent.extend(responder.event(0, &choice, &Event::Text { text, tokens: 1 }));
    sent.extend(responder.event(0, &choice, &finish));
    sent.extend(responder.end());
    sent
}

/// The warnings and the text of an answer, by each wire: where its last body has the former, and any the latter.
fn by_every_wire(stream: bool, said: &str) -> Vec<(Option<Value>, String)> {
    let chat = TextRequest::Chat(parse(json!({ "stream": stream })));
    let body = json!({ "input": "Hi", "stream": stream }).to_string();
    let request = ResponsesRequest::parse(&body).unwrap();
    let (first, warned, text): (_, _, &[&str]) = match stream {
        false => (
            "/choices/0/warnings",
            "/warnings",
            &[
                "/choices/0/message/content",
                "/content/0/text",
                "/output/0/content/0/text",
            ],
        ),
        true => (
            "/choices/0/warnings",
            "/response/warnings",
            &["/choices/0/delta/content", "/delta/text", "/delta"],
        ),
    };
    let responders: [(Box<dyn Respond>, &str); 3] = [
        (Box::new(Responder::new(&chat, "1", 0, "m")), first),
        (
            Box::new(MessageResponder::new(stream, "1", "m")),
            "/warnings",
        ),
        (
            Box::new(ResponsesResponder::new(&request, "1", 0, "m")),
            warned,
        ),
    ];
    let of_wire = |((mut responder, at), text): ((Box<dyn Respond>, &str), &&str)| {
        let sent = answer(&mut *responder, said);
        let found = sent.iter().rev().find_map(|body| body.pointer(at));
        let texts = sent.iter().filter_map(|body| body.pointer(text)?.as_str());
        (found.cloned(), texts.collect())
    };
    responders.into_iter().zip(text).map(of_wire).collect()
}

#[test]
fn what_looks_like_a_call_and_is_none_is_text_with_a_warning() {
    for said in [
        "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": </tool_call>",
        "<tool_call>{\"name\": \"g\", \"arguments\": {}}</tool_call>",
        "<tool_call>{\"name\": \"f\", \"argum",
    ] {
        for stream in [false, true] {
            for (warnings, text) in by_every_wire(stream, &format!("So: {said}")) {
                assert_eq!(text, format!("So: {said}"), "nothing is lost");
                let warnings = warnings.unwrap_or_else(|| panic!("{said} {stream}"));
                let [warning] = &warnings.as_array().unwrap()[..] else {
                    panic!("{warnings}");
                };
                assert!(warning.as_str().unwrap().ends_with(said), "{warning}");
            }
        }
    }
}

#[test]
fn an_answer_with_nothing_odd_has_no_warnings() {
    for said in [
        "Hi",
        "<tool_call>{\"name\": \"f\", \"arguments\": {}}</tool_call>",
    ] {
        for stream in [false, true] {
            for (warnings, _) in by_every_wire(stream, said) {
                assert_eq!(warnings, None, "{said} {stream}");
            }
        }
    }
}

#[test]
fn warnings_are_short_and_few() {
    let long = format!("<tool_call>{}</tool_call>", "x".repeat(5000)).repeat(40);
    let (warnings, text) = by_every_wire(false, &long).remove(0);
    assert_eq!(text, long);
    let warnings = warnings.unwrap();
    assert_eq!(warnings.as_array().unwrap().len(), 16);
    assert!(warnings[0].as_str().unwrap().len() < 300, "{}", warnings[0]);
}
