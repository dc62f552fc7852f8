//! Arguments that are told while they are written.

use serde_json::json;

use super::*;

/// Styles whose arguments are JSON, and how many calls stand in what [`said`] writes.
const STYLES: &[(&str, usize)] = &[
    (HERMES, 2),
    (MISTRAL, 2),
    ("[TOOL_CALLS] [ARGS]", 2),
    (DEEPSEEK, 2),
    ("<｜tool▁calls▁begin｜> ```json", 2),
    ("<|/tool_call|>", 2),
    ("<|tool_call|>", 2),
    (LLAMA, 2),
    ("<start_of_turn>", 2),
    ("<|channel|>", 1),
];

fn tools() -> Vec<Callable> {
    // The one's name begins like the other's.
    ["get", "get_weather"].map(Callable::any).to_vec()
}

/// What is said in these pieces to whom is held to it: text, and calls with all their arguments; and how many pieces those had.
fn told(template: &str, saying: &Saying, pieces: &[String]) -> (Vec<Part>, usize) {
    let mut parser = OutputParser::new(Style::of(template, None), tools(), "", Some(saying));
    let mut parts: Vec<Part> = pieces.iter().flat_map(|it| parser.push(it)).collect();
    parts.extend(parser.finish());
    let (mut all, mut count) = (Vec::new(), 0);
    let mut open: Option<Call> = None;
    for part in parts {
        match part {
            Part::CallBegin(name) => {
                assert_eq!(open, None, "one at a time");
                open = Some(Call {
                    name,
                    arguments: String::new(),
                });
            }
            Part::CallArguments(piece) => {
                assert!(!piece.is_empty(), "no piece is empty");
                count += 1;
                open.as_mut().unwrap().arguments.push_str(&piece);
            }
            Part::CallEnd => all.push(Part::Call(open.take().unwrap())),
            other => {
                assert_eq!(open, None, "no {other:?} within a call");
                all.push(other);
            }
        }
    }
    assert_eq!(open, None, "each has an end");
    (joined(all), count)
}

#[test]
fn arguments_come_piece_by_piece_and_are_what_the_whole_would_be() {
    let arguments = r#"{"city": "Oslo \"}]</tool_call>", "of": [1, {}, "\\"]}"#;
    let without_space = r#"{"city":"Oslo \"}]</tool_call>","of":[1,{},"\\"]}"#;
    for (template, count) in STYLES {
        let style = Style::of(template, None);
        let saying = Saying::Calls(tools(), false);
        let text = said(&style.grammar("", &saying).unwrap(), arguments);
        let mut expected = vec![call("get_weather", without_space); *count];
        if style.reasons || style.is_harmony {
            expected.insert(0, reasoning("hm"));
        }
        for pieces in cuts(&text) {
            let (parts, told) = told(template, &saying, &pieces);
            assert_eq!(parts, expected, "{template}: {pieces:?}");
            if pieces.iter().all(|piece| piece.chars().count() == 1) {
                assert!(told > 20, "{template}: {told} pieces");
            }
        }
        // Where nothing holds the answer, nobody knows before its end.
        let tools = tools();
        let mut parser = OutputParser::new(style, tools, "", None);
        let parts = parser.push(&text);
        let begun = parts.iter().any(|it| matches!(it, Part::CallBegin(_)));
        assert!(!begun, "{template}: {parts:?}");
    }
}

#[test]
fn a_call_that_is_cut_short_is_told_as_far_as_it_came() {
    let text =
        "<tool_call>\n{\"name\": \"get_weather\", \"arguments\": {\"a\": \"b c\"}}\n</tool_call>";
    let begins = text.find("{\"a\"").unwrap();
    let ends = text.find("}\n<").unwrap();
    let saying = Saying::Calls(tools(), true);
    for at in 1..text.len() {
        let cut = &text[..at];
        let (parts, _) = told(HERMES, &saying, &[cut.to_owned()]);
        let arguments = match at {
            _ if at < begins => None,
            _ => Some(
                text[begins..at.min(ends)]
                    .replace(": ", ":")
                    .trim_end()
                    .to_owned(),
            ),
        };
        let expected = match arguments {
            None => self::text(cut),
            Some(arguments) if cut.ends_with("\"b ") => {
                call("get_weather", &format!("{arguments} "))
            }
            Some(arguments) => call("get_weather", &arguments),
        };
        assert_eq!(parts, [expected], "{cut}");
    }
}

#[test]
fn texts_in_front_of_calls_are_texts() {
    let saying = Saying::Anything(tools(), false);
    let called = call("get", r#"{"a":1}"#);
    let written = "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"a\": 1}}\n</tool_call>";
    for (said, expected) in [
        (
            format!("I look.\n{written}"),
            vec![text("I look."), called.clone()],
        ),
        (
            format!("<think>hm</think>\n\n{written}\n{written}"),
            vec![reasoning("hm"), called.clone(), called.clone()],
        ),
        ("No <tool".to_owned(), vec![text("No <tool")]),
        // As no grammar would have it: it is read as it would be without one.
        (
            "<tool_call>{\"name\": \"get\"}</tool_call>x".to_owned(),
            vec![call("get", "{}"), text("x")],
        ),
        (
            "a <tool_call>get(1)</tool_call>".to_owned(),
            vec![text("a <tool_call>get(1)</tool_call>")],
        ),
        (format!("{written} Done."), vec![called, text(" Done.")]),
    ] {
        for pieces in cuts(&said) {
            assert_eq!(told(HERMES, &saying, &pieces).0, expected, "{pieces:?}");
        }
    }
    // A text that is an object is told from a call at its end alone.
    let either = Saying::Either(
        Box::new(Saying::Calls(tools(), false)),
        Box::new(Saying::Text(Grammar::json(&json!({}), "response_format"))),
    );
    let object = "{\"name\": \"get\", \"parameters\": {}, \"x\": 1}, {";
    assert_eq!(
        told(LLAMA, &either, &[object.to_owned()]),
        (vec![text(object)], 0)
    );
}
