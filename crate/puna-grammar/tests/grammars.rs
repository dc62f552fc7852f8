//! What grammars take and what they don't, byte by byte; and what is said of those that are none.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod support;

use puna_core::Error;
use puna_core::grammar::{Grammar, Source, Syntax};
use puna_core::guide::Guide;
use serde_json::{Value, json};
use support::{Fate, compiler, fate};

fn source(syntax: Syntax, definition: &str) -> Grammar {
    Grammar::Source(Source {
        syntax,
        definition: definition.to_owned(),
        param: "puna.grammar.definition".to_owned(),
    })
}

#[track_caller]
fn check(grammar: &Grammar, whole: &[&str], refused: &[(&str, usize)]) {
    for text in whole {
        let fate = fate(grammar, text);
        assert!(
            matches!(fate, Fate::Complete | Fate::Taken),
            "{text:?}: {fate:?}"
        );
    }
    for (text, at) in refused {
        assert_eq!(fate(grammar, text), Fate::Refused(*at), "{text:?}");
    }
}

fn refusal(grammar: &Grammar) -> Error {
    compiler().guide(grammar).expect_err("it is none")
}

fn person() -> Grammar {
    let schema = json!({
        "type": "object",
        "properties": { "name": { "type": "string" }, "age": { "type": "integer", "minimum": 0 } },
        "required": ["name", "age"],
        "additionalProperties": false,
    });
    Grammar::json(&schema, "response_format.json_schema.schema")
}

#[test]
fn a_schema_takes_its_json_in_one_form() {
    check(
        &person(),
        &[
            r#"{"name": "x", "age": 3}"#,
            r#"{"name": "é\n\" 😀", "age": 0}"#,
        ],
        &[
            (r#"{"age": 3}"#, 2),
            (r#"{"name": 3}"#, 9),
            (r#"{"name": "x", "age": -3}"#, 21),
            (r#"{"name": "x", "age": 3, "#, 22),
            (" {", 0),
            ("{ ", 1),
            (r#"{"name":"x""#, 8),
            (r#"{"name": "x",""#, 13),
        ],
    );
    assert_eq!(
        fate(&person(), r#"{"name": "x""#),
        Fate::Unfinished,
        "age is missing"
    );
    let any = Grammar::json(&json!({ "type": "object" }), "response_format");
    check(
        &any,
        &["{}", r#"{"a": [1, {"b": null}], "c": true}"#],
        &[("[", 0), ("{a", 1)],
    );
}

#[test]
fn definitions_alternatives_and_recursion_are_followed() {
    let schema = json!({
        "$ref": "#/$defs/tree",
        "$defs": { "tree": { "type": "object", "required": ["is"], "additionalProperties": false, "properties": {
            "is": { "anyOf": [{ "type": "number" }, { "enum": ["a", "b"] }] },
            "of": { "type": "array", "maxItems": 2, "items": { "$ref": "#/$defs/tree" } },
        } } },
    });
    check(
        &Grammar::json(&schema, "s"),
        &[
            r#"{"is": 1.5}"#,
            r#"{"is": "b", "of": [{"is": 2, "of": []}, {"is": 3}]}"#,
        ],
        &[
            (r#"{"is": "c"#, 8),
            (r#"{"is": 1, "of": [{"is": 2}, {"is": 2},"#, 37),
        ],
    );
}

#[test]
fn expressions_hold_the_whole_text() {
    let date = source(Syntax::Regex, r"\d{4}-\d\d/(yes|no)");
    check(
        &date,
        &["2026-11/yes"],
        &[("26-", 2), ("2026-11/maybe", 8), ("2026-11/yes!", 11)],
    );
    assert_eq!(
        fate(&date, "2026-11/no"),
        Fate::Complete,
        "nothing may follow"
    );
    check(&source(Syntax::Regex, ""), &[""], &[("x", 0)]);
    check(
        &source(Syntax::Regex, "[^a]*"),
        &["", "é😀\n/\\"],
        &[("a", 0)],
    );
}

#[test]
fn lark_is_followed() {
    let sum = source(
        Syntax::Lark,
        "start: sum\nsum: NUMBER (\"+\" (NUMBER | \"(\" sum \")\"))*\nNUMBER: /[0-9]+/\n",
    );
    check(&sum, &["1", "1+(2+3)+44"], &[("1+)", 2), ("+", 0)]);
}

#[test]
fn gbnf_is_followed() {
    let chess = source(
        Syntax::Gbnf,
        r#"# moves, numbered
root ::= "1. " move " " move "\n" ([1-9] [0-9]? ". " move " " move "\n"){0,2}
move ::= (pawn | nonpawn |   # with a comment
  castle) [+#]?
nonpawn ::= [NBKQR] [a-h]? [1-8]? "x"? [a-h] [1-8]
pawn ::= ([a-h] "x")? [a-h] [1-8] ("=" [NBKQR])?
castle ::= "O-O" "-O"?
"#,
    );
    check(
        &chess,
        &["1. e4 e5\n", "1. e4 Nf6\n12. O-O-O Qxh7#\n"],
        &[("1. e9", 4), ("1. e4 e5\n2. e4 e5\n3. e4 e5\n4", 27)],
    );
    let json = source(
        Syntax::Gbnf,
        r#"root   ::= object
value  ::= object | array | string | number | ("true" | "false" | "null") ws
object ::=
  "{" ws (
            string ":" ws value
    ("," ws string ":" ws value)*
  )? "}" ws
array  ::= "[" ws ( value ("," ws value)* )? "]" ws
string ::= "\"" ( [^"\\\x7F\x00-\x1F] | "\\" (["\\bfnrt] | "u" [0-9a-fA-F]{4}) )* "\"" ws
number ::= ("-"? ([0-9] | [1-9] [0-9]{0,15})) ("." [0-9]+)? ([eE] [-+]? [0-9] [1-9]{0,15})? ws
ws ::= | " " | "\n" [ \t]{0,20}
"#,
    );
    check(
        &json,
        &["{}", r#"{"a": [1, -2.5e3, "é\u00e9"], "b":{"c":null}}"#],
        &[
            ("[", 0),
            ("{\"a\"  ", 5),
            ("{\"a\": 01", 7),
            ("{\"a\": tru}", 9),
            ("{\"a\": \"\u{7f}", 7),
        ],
    );
    // Nothing but nothing, many times over.
    let mut nested = String::from("root ::= \"x\" a0\n");
    for ix in 0..40 {
        nested += &format!("a{ix} ::= a{} a{}\n", ix + 1, ix + 1);
    }
    check(
        &source(Syntax::Gbnf, &format!("{nested}a40 ::= \"\"\n")),
        &["x"],
        &[("xx", 1)],
    );
    let brackets = source(
        Syntax::Gbnf,
        "root ::= \"(\" root? \")\" | [\\u00e9-\\u00ea\\]-]+ empty .\nempty ::= \"\"*\n",
    );
    check(&brackets, &["()", "((()))", "é]-x"], &[("(x", 1), (")", 0)]);
}

#[test]
fn parts_are_put_together() {
    let thoughts = Grammar::Optional(Box::new(Grammar::Sequence(vec![
        Grammar::text("<think>"),
        Grammar::Through("</think>".to_owned()),
        Grammar::space(),
    ])));
    let call = |name: &str| {
        Grammar::Sequence(vec![
            Grammar::Text(format!(
                "<tool_call>\n{{\"name\": \"{name}\", \"arguments\": "
            )),
            person(),
            Grammar::text("}\n</tool_call>"),
        ])
    };
    let calls = Grammar::Several(
        Box::new(Grammar::OneOf(vec![call("f"), call("get_weather")])),
        "\n".to_owned(),
    );
    let all = Grammar::Sequence(vec![thoughts, calls]);
    let f = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"name\": \"x\", \"age\": 3}}\n</tool_call>";
    let get = f.replace("\"f\"", "\"get_weather\"");
    check(
        &all,
        &[
            f,
            &format!("{f}\n{get}\n{f}"),
            &format!("<think>1 < 2</thin> {{}}\n</think>\n\n{get}"),
        ],
        &[
            ("Hello", 0),
            ("<think></think>\n\n\n\n\n", 19),
            (&f.replace("\"f\"", "\"g\""), 23),
        ],
    );
    // Both begin with a brace.
    let bare = Grammar::Sequence(vec![
        Grammar::text("{\"name\": \"f\", \"parameters\": "),
        person(),
        Grammar::text("}"),
    ]);
    let either = Grammar::OneOf(vec![bare, Grammar::json(&json!({ "type": "object" }), "s")]);
    check(
        &either,
        &[
            "{\"name\": \"f\", \"parameters\": {\"name\": \"x\", \"age\": 3}}",
            "{\"x\": 3}",
        ],
        &[],
    );
    let quotes = Grammar::text("\u{7f}\"\\\n{");
    check(&quotes, &["\u{7f}\"\\\n{"], &[]);
}

#[test]
fn what_must_come_next_is_known() {
    let mut compiler = compiler();
    let mut guide = compiler.guide(&Grammar::text("{\"name\": \"")).unwrap();
    assert_eq!(guide.forced().unwrap(), b"{\"name\": \"");
    assert!(!guide.accept(u32::from(b'{')).unwrap(), "more follows");
    assert_eq!(guide.forced().unwrap(), b"\"name\": \"");
    let mut free = compiler.guide(&source(Syntax::Regex, "[a-z]+")).unwrap();
    assert_eq!(free.forced().unwrap(), b"", "anything may");
    // Of the same grammar another answer begins at the beginning.
    let mut again = compiler.guide(&Grammar::text("{\"name\": \"")).unwrap();
    assert_eq!(again.forced().unwrap(), b"{\"name\": \"");
}

#[test]
fn tokens_that_were_not_allowed_are_not_gone_on_with() {
    let mut guide = compiler().guide(&person()).unwrap();
    let error = guide.accept(u32::from(b'x')).unwrap_err();
    assert_eq!(error.code().as_str(), "invalid_request", "{error}");
    assert_eq!(
        error.details()["param"],
        "response_format.json_schema.schema",
        "{error}"
    );
    // Nor does it spoil what others are held to.
    let mut compiler = compiler();
    let mut broken = compiler.guide(&person()).unwrap();
    broken.accept(u32::from(b'x')).unwrap_err();
    broken.allowed().unwrap_err();
    let mut other = compiler.guide(&person()).unwrap();
    assert!(!other.accept(u32::from(b'{')).unwrap());
    assert_eq!(other.forced().unwrap(), b"\"name\": \"");
}

#[track_caller]
fn is_refused(schema: &Value, pointer: &str, says: &str) {
    let param = "response_format.json_schema.schema";
    let error = refusal(&Grammar::Sequence(vec![
        person(),
        Grammar::json(schema, param),
    ]));
    let message = error.message();
    assert_eq!(error.details()["param"], param, "{message}");
    assert_eq!(error.details()["pointer"], pointer, "{message}");
    assert!(message.contains(says), "{message} should say {says:?}");
    assert!(
        !message.contains("x-guidance") && !message.contains("start:"),
        "{message}"
    );
}

#[test]
fn schemas_are_refused_with_the_place() {
    is_refused(&json!({ "type": "strin" }), "", "Invalid type: strin");
    is_refused(
        &json!({ "properties": { "a/b": { "items": { "type": "array", "uniqueItems": true } } } }),
        "/properties/a~1b/items",
        "uniqueItems",
    );
    is_refused(
        &json!({ "properties": { "a": { "$ref": "#/$defs/x" } }, "$defs": { "x": { "type": "string", "pattern": "(?=x)" } } }),
        "/$defs/x",
        "look-around",
    );
    is_refused(
        &json!({ "properties": { "a": { "anyOf": [{ "type": "null" }, { "$ref": "#/$defs/y" }] } } }),
        "/properties/a/anyOf/1",
        "$defs",
    );
    is_refused(
        &json!({ "type": "object", "required": ["n"], "properties": { "n": { "type": "integer", "minimum": 5, "maximum": 3 } } }),
        "/properties/n",
        "minimum (5) is greater than maximum (3)",
    );
    is_refused(&json!(false), "", "no JSON");
}

#[test]
fn grammars_are_refused_with_the_place() {
    for (syntax, definition, says) in [
        (Syntax::Regex, "a(b", "unclosed group"),
        (Syntax::Regex, r"(a)\1", "backreferences"),
        (Syntax::Lark, "start: foo\n", "unknown name: \"foo\""),
        (Syntax::Lark, "start: \"a\" | (\n", "1(15)"),
        (
            Syntax::Gbnf,
            "root ::= a\n",
            "line 1, column 10: there is no rule 'a'",
        ),
        (Syntax::Gbnf, "a ::= \"x\"\n", "no rule 'root'"),
        (
            Syntax::Gbnf,
            "root ::= \"x\nb",
            "line 1, column 12: expected '\"', got the line's end",
        ),
        (
            Syntax::Gbnf,
            "root ::= [z-a]",
            "column 11: expected a range",
        ),
        (
            Syntax::Gbnf,
            "root = \"x\"",
            "line 1, column 6: expected '::=', got '='",
        ),
        (Syntax::Gbnf, "root ::= (\"x\"", "expected ')', got the end"),
        (Syntax::Gbnf, "root ::= \"x\"{3,2}", "at least 3 times"),
        (Syntax::Gbnf, "root ::= \"x\"{99999}", "at most 10000 times"),
        (
            Syntax::Gbnf,
            "root ::= \"\\q\"",
            "column 11: expected a character",
        ),
        (Syntax::Gbnf, "root ::= \"\\ud800\"", "4 hexadecimal digits"),
        (
            Syntax::Gbnf,
            "root ::= <think>",
            "column 10: tokens by name",
        ),
        (
            Syntax::Gbnf,
            "root ::= \"a\"\nroot ::= \"b\"",
            "line 2, column 1: there is a rule 'root' already",
        ),
        (
            Syntax::Gbnf,
            &format!("root ::= {}", "(".repeat(5000)),
            "too many groups",
        ),
        (
            Syntax::Gbnf,
            &format!("root ::= \"a\"{}", "*".repeat(5000)),
            "something to repeat",
        ),
    ] {
        let error = refusal(&source(syntax, definition));
        let message = error.message();
        assert_eq!(
            error.details()["param"],
            "puna.grammar.definition",
            "{message}"
        );
        assert!(message.contains(says), "{message} should say {says:?}");
    }
}

#[test]
fn no_minute_has_sixty_one_seconds() {
    let time = |schema: Value| Grammar::json(&schema, "s");
    check(
        &time(json!({ "type": "string", "format": "time" })),
        &[
            "\"23:59:59Z\"",
            "\"00:00:00.25+02:30\"",
            "\"12:34:56-01:00\"",
        ],
        &[("\"23:59:60", 7)],
    );
    let both = json!({ "type": "string", "format": "date-time", "allOf": [{ "maxLength": 20 }] });
    check(
        &time(both),
        &["\"2026-02-28T10:00:59z\""],
        &[("\"2026-02-30", 9), ("\"2026-02-28T10:00:60", 18)],
    );
    // The name of a member, and a value, are no formats.
    let other =
        json!({ "type": "object", "properties": { "format": { "const": { "format": "time" } } } });
    check(&time(other), &["{\"format\": {\"format\": \"time\"}}"], &[]);
}

#[test]
fn numbers_come_to_an_end() {
    let number = Grammar::json(&json!({ "type": "number" }), "s");
    check(
        &number,
        &["1234567890123456", "-0.1234567890123456", "1e99", "0"],
        &[
            ("12345678901234567", 16),
            ("0.12345678901234567", 18),
            ("1e999", 4),
        ],
    );
    // Where there is no other way, they go on; and texts may have as many digits as they like.
    let large = json!({ "type": "integer", "minimum": 100_000_000_000_000_000_u64 });
    check(
        &Grammar::json(&large, "s"),
        &["100000000000000000"],
        &[("1000000000000000000", 18)],
    );
    check(
        &Grammar::json(&json!({ "type": "string" }), "s"),
        &["\"12345678901234567890123456789012345678\""],
        &[],
    );
    check(
        &source(Syntax::Regex, "[0-9]+"),
        &["12345678901234567890123456789"],
        &[],
    );
}
