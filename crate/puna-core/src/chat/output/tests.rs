#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod families;
mod offers;
mod streamed;

use super::{Call, Callable, OutputParser, Part, Saying, Style};
use crate::grammar::Grammar;

const HERMES: &str = "x <tool_call> x </think>";
const MISTRAL: &str = "x [TOOL_CALLS] x";
const DEEPSEEK: &str = "x <｜tool▁calls▁begin｜> x </think>";
const LLAMA: &str = "{\"name\": function name, \"parameters\": x}";

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

fn reasoning(text: &str) -> Part {
    Part::Reasoning(text.to_owned())
}

fn call(name: &str, arguments: &str) -> Part {
    Part::Call(Call {
        name: name.to_owned(),
        arguments: arguments.to_owned(),
    })
}

/// Pieces of a kind together; what is no call is text.
fn joined(parts: Vec<Part>) -> Vec<Part> {
    let mut all: Vec<Part> = Vec::new();
    for part in parts {
        let part = match part {
            Part::NoCall(text) => Part::Text(text),
            part => part,
        };
        match (all.last_mut(), part) {
            (Some(Part::Text(before)), Part::Text(more))
            | (Some(Part::Reasoning(before)), Part::Reasoning(more)) => before.push_str(&more),
            (_, part) => all.push(part),
        }
    }
    all
}

/// In pieces of every size, in two of any, and whole.
fn cuts(said: &str) -> Vec<Vec<String>> {
    let characters: Vec<char> = said.chars().collect();
    let text = |piece: &[char]| piece.iter().collect::<String>();
    let sizes = [1, 2, 3, 7, characters.len().max(1)];
    let even = sizes.map(|size| characters.chunks(size).map(text).collect());
    let two = (1..characters.len()).map(|at| {
        let (front, back) = characters.split_at(at);
        vec![text(front), text(back)]
    });
    even.into_iter().chain(two).collect()
}

#[track_caller]
fn check(template: &str, prompt: &str, said: &str, expected: &[Part]) {
    let tools = ["f", "get_weather"].map(Callable::any);
    check_tools(&tools, template, prompt, said, expected);
}

#[track_caller]
fn check_tools(tools: &[Callable], template: &str, prompt: &str, said: &str, expected: &[Part]) {
    let style = Style::of(template, None);
    for pieces in cuts(said) {
        let mut parser = OutputParser::new(style, tools.to_vec(), prompt, None);
        let mut parts = Vec::new();
        for piece in &pieces {
            let of_piece = parser.push(piece);
            assert!(!of_piece.contains(&text("")), "no part is empty");
            parts.extend(of_piece);
        }
        parts.extend(parser.finish());
        assert_eq!(joined(parts), expected, "{pieces:?}");
    }
}

#[test]
fn plain_text_stays_what_it_is() {
    for template in [HERMES, MISTRAL, DEEPSEEK, LLAMA, "nothing"] {
        for said in [
            "Hello",
            " a <b> [c] < ",
            "",
            "\n\n",
            "1 < 2 <tool",
            "<think",
            "[TOOL",
        ] {
            let expected: Vec<_> = [text(said)]
                .into_iter()
                .filter(|it| *it != text(""))
                .collect();
            check(template, "", said, &expected);
        }
    }
    // Of a model that does not reason.
    check(LLAMA, "", "<think>a</think>b", &[text("<think>a</think>b")]);
}

#[test]
fn reasoning_stands_apart() {
    check(
        HERMES,
        "",
        "<think>\na b\n</think>\n\nHi",
        &[reasoning("a b"), text("Hi")],
    );
    check(HERMES, "", "\n<think></think>Hi", &[text("Hi")]);
    check(
        HERMES,
        "…<think>\n",
        "a b\n</think>\nHi",
        &[reasoning("a b"), text("Hi")],
    );
    // The answer was cut short.
    check(HERMES, "", "<think>a <b", &[reasoning("a <b")]);
    check(
        HERMES,
        "",
        "<think>a</think>\n\n",
        &[reasoning("a"), text("\n\n")],
    );
    // Later it is text.
    check(HERMES, "", "So <think> it", &[text("So <think> it")]);
    check(
        DEEPSEEK,
        "<think>\n",
        "a</think>b</think>c",
        &[reasoning("a"), text("b</think>c")],
    );
}

#[test]
fn calls_of_every_family_are_found() {
    let sum = call("f", r#"{"a":1,"b":[2,"x"]}"#);
    let weather = call("get_weather", r#"{"city":"Oslo {1}"}"#);
    let (a, b) = (
        r#"{"name": "f", "arguments": {"a": 1, "b": [2, "x"]}}"#,
        r#"{"name": "get_weather", "arguments": {"city": "Oslo {1}"}}"#,
    );
    check(
        HERMES,
        "",
        &format!(
            "<think>x</think>\n\nI look.\n<tool_call>\n{a}\n</tool_call>\n<tool_call>\n{b}\n</tool_call>"
        ),
        &[
            reasoning("x"),
            text("I look."),
            sum.clone(),
            weather.clone(),
        ],
    );
    check(
        HERMES,
        "",
        &format!("<tool_call>{a}</tool_call> Done."),
        &[sum.clone(), text(" Done.")],
    );
    check(
        MISTRAL,
        "",
        &format!("[TOOL_CALLS][{a}, {b}]"),
        &[sum.clone(), weather.clone()],
    );
    check(
        MISTRAL,
        "",
        r#"Hm. [TOOL_CALLS]f[ARGS]{"a": 1, "b": [2, "x"]}[TOOL_CALLS]get_weather[CALL_ID]abc[ARGS]{"city": "Oslo {1}"}"#,
        &[text("Hm."), sum.clone(), weather.clone()],
    );
    check(
        DEEPSEEK,
        "",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": 1, \"b\": [2, \"x\"]}\n```<｜tool▁call▁end｜>\n\
         <｜tool▁call▁begin｜>get_weather<｜tool▁sep｜>{\"city\": \"Oslo {1}\"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        &[sum.clone(), weather.clone()],
    );
    let llama = r#"{"name": "f", "parameters": {"a": 1, "b": [2, "x"]}}"#;
    check(LLAMA, "", &format!("\n{llama}"), std::slice::from_ref(&sum));
    check(
        LLAMA,
        "",
        &format!("<|python_tag|>{llama}; {b}"),
        &[sum, weather],
    );
    check(
        HERMES,
        "",
        r#"<tool_call>{"name": "f"}</tool_call>"#,
        &[call("f", "{}")],
    );
    check(
        HERMES,
        "",
        r#"<tool_call>{"name": "f", "arguments": "{\"a\": 1}"}</tool_call>"#,
        &[call("f", r#"{"a":1}"#)],
    );
}

#[test]
fn what_is_no_call_stays_text_and_is_not_lost() {
    for said in [
        "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": 1}</tool_call>",
        "<tool_call>f(1)</tool_call>",
        "<tool_call>{\"name\": \"f\", \"arguments\": [1]}</tool_call>",
        "<tool_call>{\"name\": \"unknown\", \"arguments\": {}}</tool_call>",
        "<tool_call></tool_call>",
        // Cut short.
        "<tool_call>{\"name\": \"f\"",
    ] {
        check(HERMES, "", said, &[text(said)]);
    }
    // With the space around it.
    for said in [
        "```xml\n<tool_call>\nexample\n</tool_call>\n```",
        "See:\n\n<tool_call>f(1)</tool_call>",
        "\n <tool_call>f(1)",
    ] {
        check(HERMES, "", said, &[text(said)]);
    }
    for said in [
        "{\"a\": 1}",
        "{not JSON",
        "{\"name\": \"f\", \"parameters\": {}} and more",
    ] {
        check(LLAMA, "", said, &[text(said)]);
    }
    for said in ["[TOOL_CALLS]", "[TOOL_CALLS]f[ARGS]{", "[TOOL_CALLS][{}]"] {
        check(MISTRAL, "", said, &[text(said)]);
    }
    let said = "<｜tool▁calls▁begin｜>f<｜tool▁calls▁end｜>x";
    check(DEEPSEEK, "", said, &[text(said)]);
}

#[test]
fn a_template_tells_the_style() {
    for (template, for_tools, calls, reasons) in [
        (HERMES, None, true, true),
        ("plain", Some(MISTRAL), true, false),
        (MISTRAL, Some("plain"), false, false),
        ("plain", None, false, false),
        ("<tool_call> <function=x>", None, true, false),
        ("<start_of_turn>", None, true, false),
    ] {
        let style = Style::of(template, for_tools);
        assert_eq!(
            (style.calls(), style.reasons),
            (calls, reasons),
            "{template}"
        );
        assert!(!style.without_calls().calls());
    }
}

#[test]
fn messages_of_harmony_are_told_apart_by_their_headers() {
    const HARMONY: &str = "x <|channel|> x";
    let analysis = "<|channel|>analysis<|message|>Hm, <b.<|end|><|start|>assistant";
    check(
        HARMONY,
        "",
        &format!("{analysis}<|channel|>final<|message|>It is <|1|>."),
        &[reasoning("Hm, <b."), text("It is <|1|>.")],
    );
    let called = call("f", r#"{"a":1}"#);
    for header in [
        "<|channel|>commentary to=functions.f <|constrain|>json<|message|>",
        " to=functions.f<|channel|>commentary <|constrain|>json<|message|>",
    ] {
        let said = format!("{analysis}{header}{{\"a\": 1}}");
        check(HARMONY, "", &said, &[reasoning("Hm, <b."), called.clone()]);
        check(
            HARMONY,
            "",
            &format!("{said}<|call|>"),
            &[reasoning("Hm, <b."), called.clone()],
        );
    }
    check(
        HARMONY,
        "",
        "<|channel|>commentary<|message|>I look.<|end|><|start|>assistant<|channel|>commentary to=functions.f<|message|>{\"a\": 1}",
        &[text("I look."), called],
    );
    // Nothing that was said is lost.
    for said in [
        "<|channel|>commentary to=functions.f<|message|>{\"a\": ",
        "<|channel|>commentary to=functions.unknown<|message|>{}",
        "Hello, without a header",
    ] {
        check(HARMONY, "", said, &[text(said)]);
    }
    // Headers that were cut short say nothing.
    for cut in [
        "<|channel|>final<|message|>",
        "<|channel|>final",
        "<|channel|>",
        "",
    ] {
        check(HARMONY, "", cut, &[]);
        let said = format!("{analysis}{cut}");
        check(HARMONY, "", &said, &[reasoning("Hm, <b.")]);
    }
    check(
        HARMONY,
        "",
        "<|channel|>analysis<|message|>cut sho",
        &[reasoning("cut sho")],
    );
}

/// Something that is in a language: of each choice the last, of what may be left out all, of what may come again two.
fn said(grammar: &Grammar, source: &str) -> String {
    let all = |parts: &[Grammar]| parts.iter().map(|it| said(it, source)).collect();
    match grammar {
        Grammar::Text(text) => text.clone(),
        Grammar::Source(it) if it.param.is_empty() => "\n".to_owned(),
        Grammar::Source(_) => source.to_owned(),
        Grammar::Through(text) => format!("hm{text}"),
        Grammar::Prose {
            without, through, ..
        } => match through {
            true => format!("So.\n{without}"),
            false => "So.".to_owned(),
        },
        Grammar::Sequence(parts) => all(parts),
        Grammar::OneOf(parts) => said(parts.last().unwrap(), source),
        Grammar::Optional(part) => said(part, source),
        Grammar::Several(part, between) => {
            let one = said(part, source);
            format!("{one}{between}{one}")
        }
    }
}

/// What a model may say that is held to calls is read as calls.
#[test]
fn what_grammars_of_calls_write_is_read() {
    let tools: Vec<_> = ["f", "get_weather"]
        .map(|name| Callable {
            name: name.to_owned(),
            is_strict: false,
            arguments: Grammar::json(&serde_json::json!({}), "tools[0].function.parameters"),
        })
        .to_vec();
    let arguments = "{\"city\":\"Oslo\"}";
    let styles = [
        (HERMES, 2, true),
        (MISTRAL, 2, false),
        ("[TOOL_CALLS] [ARGS]", 2, false),
        (DEEPSEEK, 2, true),
        ("<｜tool▁calls▁begin｜> ```json", 2, false),
        (LLAMA, 2, false),
        ("<|channel|>", 1, true),
    ];
    for (template, calls, thinks) in styles {
        let style = Style::of(template, None);
        for is_single in [true, false] {
            let grammar = style
                .grammar("", &Saying::Calls(tools.clone(), is_single))
                .unwrap();
            let text = said(&grammar, arguments);
            let mut expected =
                vec![call("get_weather", arguments); if is_single { 1 } else { calls }];
            if thinks {
                expected.insert(0, reasoning("hm"));
            }
            check(template, "", &text, &expected);
        }
        let either = Saying::Either(
            Box::new(Saying::Calls(tools.clone(), false)),
            Box::new(Saying::Text(Grammar::json(
                &serde_json::json!({}),
                "response_format",
            ))),
        );
        let mut expected = vec![text("[1]")];
        if thinks {
            expected.insert(0, reasoning("hm"));
        }
        check(
            template,
            "",
            &said(&style.grammar("", &either).unwrap(), "[1]"),
            &expected,
        );
    }
}

#[test]
fn thoughts_come_first_where_the_prompt_leaves_room_for_them() {
    let style = Style::of(HERMES, None);
    let answer = Saying::Text(Grammar::text("x"));
    let of = |prompt: &str| said(&style.grammar(prompt, &answer).unwrap(), "");
    assert_eq!(of("assistant\n"), "<think>hm</think>\nx");
    assert_eq!(
        of("assistant\n<think>\n"),
        "hm</think>\nx",
        "begun by the template"
    );
    assert_eq!(of("<think>\n\n</think>\n\n"), "x", "over already");
    let plain = Style::of("nothing", None);
    assert_eq!(
        said(&plain.grammar("", &answer).unwrap(), ""),
        "x",
        "it does not think"
    );
}
