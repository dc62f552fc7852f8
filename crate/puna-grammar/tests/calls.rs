//! Calls of tools in every family's marks: what grammars of them take is read as what was meant, and what breaks a schema is not taken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod support;

use puna_core::chat::{Callable, OutputParser, Part, Saying, Style};
use puna_core::grammar::Grammar;
use serde_json::{Value, json};
use support::{Fate, fate};

/// Whether an answer may be this and end there; else the text up to what may not come.
fn takes(grammar: &Grammar, text: &str) -> Result<(), String> {
    match fate(grammar, text) {
        Fate::Complete | Fate::Taken => Ok(()),
        Fate::Unfinished => Err(format!("{text} (unfinished)")),
        Fate::Refused(at) => Err(String::from_utf8_lossy(&text.as_bytes()[..at]).into_owned()),
    }
}

fn tool(name: &str, parameters: &Value) -> Callable {
    Callable {
        name: name.to_owned(),
        arguments: Grammar::json(parameters, "tools[0].function.parameters"),
        is_strict: true,
    }
}

fn tools() -> Vec<Callable> {
    let event = json!({
        "type": "object",
        "properties": {
            "title": { "type": "string" },
            "day": { "enum": ["Mon", "Tue"] },
            "guests": { "type": "integer", "minimum": 0 },
            "note": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            "tags": { "type": "array", "items": { "type": "string" } },
        },
        "required": ["title", "guests"],
        "additionalProperties": false,
    });
    let nothing = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    vec![tool("add", &event), tool("stop", &nothing)]
}

/// A family: what its template shows, a whole call and the least that is one, and calls that its grammar does not take.
struct Family {
    template: &'static str,
    whole: &'static str,
    least: &'static str,
    broken: &'static [(&'static str, &'static str)],
}

const FAMILIES: &[Family] = &[
    Family {
        template: "<tool_call>",
        whole: "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"title\": \"A \\\"b\\\"\", \"day\": \"Tue\", \"guests\": 3, \"note\": null, \"tags\": [\"x\", \"y\"]}}\n</tool_call>",
        least: "<tool_call>\n{\"name\": \"stop\", \"arguments\": {}}\n</tool_call>",
        broken: &[
            ("3,", "-"),
            ("Tue", "Wed"),
            ("\"title\": \"A \\\"b\\\"\", ", ""),
            ("add", "sub"),
        ],
    },
    Family {
        template: "[TOOL_CALLS] [ARGS]",
        whole: "[TOOL_CALLS]add[ARGS]{\"title\": \"A \\\"b\\\"\", \"day\": \"Tue\", \"guests\": 3, \"note\": null, \"tags\": [\"x\", \"y\"]}",
        least: "[TOOL_CALLS]stop[ARGS]{}",
        broken: &[("3,", "-"), ("Tue", "Wed")],
    },
    Family {
        template: "<|tool_call|>",
        whole: "<|tool_call|>[{\"name\": \"add\", \"arguments\": {\"title\": \"A \\\"b\\\"\", \"day\": \"Tue\", \"guests\": 3, \"note\": null, \"tags\": [\"x\", \"y\"]}}]",
        least: "<|tool_call|>[{\"name\": \"stop\", \"arguments\": {}}]",
        broken: &[("3,", "-"), ("Tue", "Wed")],
    },
    Family {
        template: "<｜tool▁calls▁begin｜>",
        whole: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add<｜tool▁sep｜>{\"title\": \"A \\\"b\\\"\", \"day\": \"Tue\", \"guests\": 3, \"note\": null, \"tags\": [\"x\", \"y\"]}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        least: "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>stop<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
        broken: &[("3,", "-"), ("Tue", "Wed")],
    },
    Family {
        template: "<tool_call> <function=",
        whole: "<tool_call>\n<function=add>\n<parameter=title>\nA \"b\"\n</parameter>\n<parameter=day>\nTue\n</parameter>\n<parameter=guests>\n3\n</parameter>\n<parameter=note>\nnull\n</parameter>\n<parameter=tags>\n[\"x\", \"y\"]\n</parameter>\n</function>\n</tool_call>",
        least: "<tool_call>\n<function=stop>\n</function>\n</tool_call>",
        broken: &[
            ("3", "-"),
            ("Tue", "Wed"),
            ("title", "name"),
            ("[\"x\"", "[1"),
        ],
    },
    Family {
        template: "<tool_call> <arg_key>",
        whole: "<tool_call>add\n<arg_key>title</arg_key>\n<arg_value>A \"b\"</arg_value>\n<arg_key>day</arg_key>\n<arg_value>Tue</arg_value>\n<arg_key>guests</arg_key>\n<arg_value>3</arg_value>\n<arg_key>note</arg_key>\n<arg_value>null</arg_value>\n<arg_key>tags</arg_key>\n<arg_value>[\"x\", \"y\"]</arg_value>\n</tool_call>",
        least: "<tool_call>stop\n</tool_call>",
        broken: &[("3", "-"), ("Tue", "Wed")],
    },
    Family {
        template: "<|tool_call_start|>",
        whole: "<|tool_call_start|>[add(title=\"A \\\"b\\\"\", day=\"Tue\", guests=3, note=null, tags=[\"x\", \"y\"])]<|tool_call_end|>",
        least: "<|tool_call_start|>[stop()]<|tool_call_end|>",
        broken: &[("3", "-"), ("Tue", "Wed"), (", guests=3", "")],
    },
    Family {
        template: "<start_function_call>",
        whole: "<start_function_call>call:add{title:<escape>A \"b\"<escape>,day:<escape>Tue<escape>,guests:3,note:null,tags:[\"x\", \"y\"]}<end_function_call>",
        least: "<start_function_call>call:stop{}<end_function_call>",
        broken: &[("3", "-"), ("Tue", "Wed"), (",guests:3", "")],
    },
    Family {
        template: "<|tool_call>",
        whole: "<|tool_call>call:add{title:<|\"|>A \"b\"<|\"|>,day:<|\"|>Tue<|\"|>,guests:3,note:null,tags:[\"x\", \"y\"]}<tool_call|>",
        least: "<|tool_call>call:stop{}<tool_call|>",
        broken: &[("3", "-"), ("Tue", "Wed")],
    },
    Family {
        template: "\"parameters\":",
        whole: "{\"name\": \"add\", \"parameters\": {\"title\": \"A \\\"b\\\"\", \"day\": \"Tue\", \"guests\": 3, \"note\": null, \"tags\": [\"x\", \"y\"]}}",
        least: "{\"name\": \"stop\", \"parameters\": {}}",
        broken: &[("3,", "-"), ("Tue", "Wed")],
    },
    Family {
        template: "<start_of_turn>",
        whole: "[{\"name\": \"add\", \"parameters\": {\"title\": \"A \\\"b\\\"\", \"day\": \"Tue\", \"guests\": 3, \"note\": null, \"tags\": [\"x\", \"y\"]}}]",
        least: "[{\"name\": \"stop\", \"parameters\": {}}]",
        broken: &[("3,", "-"), ("Tue", "Wed")],
    },
    Family {
        template: "<|channel|>",
        whole: "<|channel|>commentary to=functions.add <|constrain|>json<|message|>{\"title\": \"A \\\"b\\\"\", \"day\": \"Tue\", \"guests\": 3, \"note\": null, \"tags\": [\"x\", \"y\"]}",
        least: "<|channel|>commentary to=functions.stop <|constrain|>json<|message|>{}",
        broken: &[("3,", "-"), ("Tue", "Wed")],
    },
];

/// Names and arguments of the calls that stand in it, and the text beside them.
fn read(template: &str, saying: &Saying, text: &str) -> (Vec<(String, Value)>, String) {
    let style = Style::of(template, None);
    let mut parser = OutputParser::new(style, tools(), "", Some(saying));
    let mut parts = parser.push(text);
    parts.extend(parser.finish());
    let (mut calls, mut said) = (Vec::new(), String::new());
    let mut open = (String::new(), String::new());
    let json = |text: &str| serde_json::from_str(text).unwrap();
    for part in parts {
        match part {
            Part::Text(text) | Part::NoCall(text) | Part::Reasoning(text) => said.push_str(&text),
            Part::Call(call) => calls.push((call.name, json(&call.arguments))),
            Part::CallBegin(name) => open = (name, String::new()),
            Part::CallArguments(piece) => open.1.push_str(&piece),
            Part::CallEnd => calls.push((open.0.clone(), json(&open.1))),
        }
    }
    (calls, said)
}

#[test]
fn calls_that_must_be_are_held_to_their_schemas() {
    let whole =
        json!({ "title": "A \"b\"", "day": "Tue", "guests": 3, "note": null, "tags": ["x", "y"] });
    for family in FAMILIES {
        let template = family.template;
        let saying = Saying::Calls(tools(), true);
        let grammar = Style::of(template, None).grammar("", &saying).unwrap();
        for (text, name, arguments) in [
            (family.whole, "add", &whole),
            (family.least, "stop", &json!({})),
        ] {
            assert_eq!(takes(&grammar, text), Ok(()), "{template}");
            let (calls, said) = read(template, &saying, text);
            assert_eq!(calls, [(name.to_owned(), arguments.clone())], "{template}");
            assert_eq!(said, "", "{template}");
        }
        for (right, wrong) in family.broken {
            let text = family.whole.replacen(right, wrong, 1);
            assert_ne!(text, family.whole, "{right}");
            takes(&grammar, &text).expect_err(&text);
        }
        takes(&grammar, "Hello").expect_err(template);
    }
}

#[test]
fn a_strict_tool_is_held_to_its_schema_where_it_need_not_be_called() {
    for family in FAMILIES {
        let template = family.template;
        let saying = Saying::Anything(tools(), true);
        let grammar = Style::of(template, None).grammar("", &saying).unwrap();
        let (front, text) = match template {
            "<|channel|>" => (
                "<|channel|>final<|message|>",
                "Hello, <|x|> 1 < 2 {\n\"name\"",
            ),
            _ => ("", "Hello, <tool 1 < 2 {\n\"name\""),
        };
        assert_eq!(
            takes(&grammar, &format!("{front}{text}")),
            Ok(()),
            "{template}"
        );
        assert_eq!(
            read(template, &saying, &format!("{front}{text}")),
            (Vec::new(), text.to_owned())
        );
        assert_eq!(takes(&grammar, family.whole), Ok(()), "{template}");
        for (right, wrong) in family.broken {
            takes(&grammar, &family.whole.replacen(right, wrong, 1)).expect_err(template);
        }
        // Behind a text, where the mark tells that it is one.
        let style = Style::of(template, None);
        let is_marked = !["\"parameters\":", "<start_of_turn>", "<|channel|>"].contains(&template);
        if is_marked {
            let text = format!("I look.\n{}", family.whole);
            assert_eq!(takes(&grammar, &text), Ok(()), "{template}");
            let (calls, said) = read(template, &saying, &text);
            assert_eq!((calls.len(), said.as_str()), (1, "I look."), "{template}");
            let text = format!("I look.\n{}", family.whole.replacen("Tue", "Wed", 1));
            takes(&grammar, &text).expect_err(template);
            let several = style
                .grammar("", &Saying::Anything(tools(), false))
                .unwrap();
            let least = family.least;
            let one = least
                .strip_prefix("<|tool_call|>[")
                .or_else(|| least.strip_prefix("<|tool_call_start|>["));
            if one.is_none() && !least.starts_with('<') || template == "<tool_call>" {
                let between = if template == "<tool_call>" { "\n" } else { "" };
                assert_eq!(
                    takes(&several, &format!("Two: {least}{between}{least}")),
                    Ok(()),
                    "{template}"
                );
            }
            takes(&grammar, &format!("{least}{least}")).expect_err(template);
        }
    }
    // A tool that is not strict takes any object, and only those that are offered are called.
    let mut tools = tools();
    for tool in &mut tools {
        tool.is_strict = tool.name == "stop";
    }
    let saying = Saying::Anything(tools, false);
    for (template, any) in [
        (
            "<tool_call>",
            "<tool_call>\n{\"name\": \"add\", \"arguments\": {\"x\": 1}}\n</tool_call>",
        ),
        (
            "<tool_call> <function=",
            "<tool_call>\n<function=add>\n<parameter=x>\n1\n</parameter>\n</function>\n</tool_call>",
        ),
        (
            "<|tool_call_start|>",
            "<|tool_call_start|>[add(x=1, y=\"z\")]<|tool_call_end|>",
        ),
        (
            "<start_function_call>",
            "<start_function_call>call:add{x:1,y:<escape>z<escape>}<end_function_call>",
        ),
    ] {
        let grammar = Style::of(template, None).grammar("", &saying).unwrap();
        assert_eq!(takes(&grammar, any), Ok(()), "{template}");
        takes(&grammar, &any.replacen("add", "stop", 1)).expect_err(template);
        takes(&grammar, &any.replacen("add", "other", 1)).expect_err(template);
    }
}

#[test]
fn thoughts_in_front_may_speak_of_marks() {
    let style = Style::of("<tool_call> </think>", None);
    let saying = Saying::Anything(tools(), true);
    let call = "<tool_call>\n{\"name\": \"stop\", \"arguments\": {}}\n</tool_call>";
    for (prompt, front) in [
        ("", "<think>"),
        ("<think>\n", ""),
        ("<think>\n\n</think>\n\n", ""),
    ] {
        let grammar = style.grammar(prompt, &saying).unwrap();
        let thoughts = match prompt.ends_with("</think>\n\n") {
            true => String::new(),
            false => format!("{front}A <tool_call> of it, \"or not</think>\n\n"),
        };
        for answer in ["No.", call, &format!("Yes.\n{call}")] {
            let text = format!("{thoughts}{answer}");
            assert_eq!(takes(&grammar, &text), Ok(()), "{prompt:?}");
        }
        let broken = call.replace("{}", "{\"x\": 1}");
        takes(&grammar, &format!("{thoughts}{broken}")).expect_err(prompt);
        takes(&grammar, &format!("{thoughts}Yes. {broken}")).expect_err(prompt);
    }
}

#[test]
fn what_can_not_be_held_where_arguments_stand_one_by_one_is_refused() {
    let of = |parameters: Value| {
        let saying = Saying::Calls(vec![tool("f", &parameters)], true);
        let style = Style::of("<tool_call> <function=", None);
        style.grammar("", &saying).map(|_| ())
    };
    let property = |schema: Value| json!({ "type": "object", "properties": { "a": schema } });
    for (parameters, word) in [
        (json!({ "type": "object", "oneOf": [{}, {}] }), "oneOf"),
        (
            json!({ "type": "object", "minProperties": 1 }),
            "minProperties",
        ),
        (json!({ "type": "object", "required": ["a"] }), "required"),
        (
            property(json!({ "type": "string", "pattern": "^a+$" })),
            "pattern",
        ),
        (
            property(json!({ "type": "string", "maxLength": 3 })),
            "maxLength",
        ),
        (
            property(
                json!({ "anyOf": [{ "type": "null" }, { "type": "string", "format": "date" }] }),
            ),
            "format",
        ),
        (
            json!({ "type": "object", "properties": { "a b": {} } }),
            "properties",
        ),
    ] {
        let error = of(parameters.clone()).expect_err(word);
        assert_eq!(error.details()["param"], "tools[0].function.parameters");
        assert!(
            error.message().contains(&format!("'{word}'")),
            "{parameters}: {error}"
        );
    }
    for parameters in [
        json!({ "type": "object" }),
        property(json!({ "type": "integer", "maximum": 3 })),
        property(json!({ "type": "string", "description": "d", "default": "x" })),
        property(json!({ "type": "array", "items": { "type": "string", "format": "date" } })),
    ] {
        of(parameters).unwrap();
    }
    // Where texts have marks around them, strings of JSON take their place.
    let schema = property(json!({ "type": "string", "pattern": "^a+$" }));
    let saying = Saying::Calls(vec![tool("f", &schema)], true);
    let grammar = Style::of("<start_function_call>", None)
        .grammar("", &saying)
        .unwrap();
    assert_eq!(
        takes(
            &grammar,
            "<start_function_call>call:f{a:\"aa\"}<end_function_call>"
        ),
        Ok(())
    );
    takes(
        &grammar,
        "<start_function_call>call:f{a:\"b\"}<end_function_call>",
    )
    .expect_err("no b");
}

#[test]
fn arguments_that_may_be_left_out_may_be_left_out() {
    let schema = json!({ "type": "object", "additionalProperties": false, "properties": {
        "a": { "type": "integer" }, "b": { "type": "integer" }, "c": { "type": "integer" }, "d": { "type": "integer" } }, "required": ["c"] });
    let saying = Saying::Calls(vec![tool("f", &schema)], true);
    let grammar = Style::of("<start_function_call>", None)
        .grammar("", &saying)
        .unwrap();
    let of = |members: &str| {
        takes(
            &grammar,
            &format!("<start_function_call>call:f{{{members}}}<end_function_call>"),
        )
    };
    for members in ["c:1", "a:1,c:1", "b:1,c:1", "a:1,b:1,c:1,d:1", "c:1,d:1"] {
        assert_eq!(of(members), Ok(()), "{members}");
    }
    for members in [
        "", "a:1", "a:1,,c:1", ",c:1", "c:1,", "c:1,a:1", "a:1c:1", "c:1,c:1",
    ] {
        of(members).expect_err(members);
    }
}
