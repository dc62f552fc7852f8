use super::*;
use crate::grammar::{Grammar, Source, Syntax};
use crate::openai::CompletionRequest;
use crate::session::Retention;

fn grammar(more: Value) -> Option<Grammar> {
    parse(more).options.grammar
}

fn source(syntax: Syntax, definition: &str, param: &str) -> Option<Grammar> {
    Some(Grammar::Source(Source {
        syntax,
        definition: definition.to_owned(),
        param: param.to_owned(),
    }))
}

#[test]
fn a_format_is_what_the_text_is_held_to() {
    let schema = json!({ "type": "object", "properties": { "b": {}, "a": {} } });
    let named = |schema: &Value| {
        json!({ "response_format": { "type": "json_schema", "json_schema": {
            "name": "a-b_1", "strict": true, "description": "d", "schema": schema,
        } } })
    };
    let param = "response_format.json_schema.schema";
    assert_eq!(grammar(named(&schema)), Some(Grammar::json(&schema, param)));
    let text = schema.to_string();
    assert_eq!(
        grammar(named(&schema)),
        source(Syntax::JsonSchema, &text, param),
        "in its order"
    );
    let object = |more: Value| {
        let mut format = json!({ "type": "json_object" });
        format
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        grammar(json!({ "response_format": format }))
    };
    let any = json!({ "type": "object" });
    assert_eq!(
        object(json!({})),
        Some(Grammar::json(&any, "response_format"))
    );
    let given = Grammar::json(&schema, "response_format.schema");
    assert_eq!(object(json!({ "schema": schema })), Some(given));
    assert_eq!(
        grammar(json!({ "response_format": { "type": "text" } })),
        None
    );
}

#[test]
fn formats_are_checked_by_name() {
    let of = |format: Value| json!({ "response_format": format });
    let named = |fields: Value| of(json!({ "type": "json_schema", "json_schema": fields }));
    for (more, param, says) in [
        (of(json!("json")), "response_format", "an object"),
        (of(json!({})), "response_format.type", "Missing"),
        (
            of(json!({ "type": "xml" })),
            "response_format.type",
            "'text', 'json_object' and 'json_schema'",
        ),
        (
            of(json!({ "type": "json_schema" })),
            "response_format.json_schema",
            "Missing",
        ),
        (
            named(json!({ "schema": {} })),
            "response_format.json_schema.name",
            "Missing",
        ),
        (
            named(json!({ "name": "a b" })),
            "response_format.json_schema.name",
            "got 'a b'",
        ),
        (
            named(json!({ "name": "a" })),
            "response_format.json_schema.schema",
            "Missing",
        ),
        (
            named(json!({ "name": "a", "schema": "{}" })),
            "response_format.json_schema.schema",
            "an object",
        ),
        (
            named(json!({ "name": "a", "schema": {}, "strict": 1 })),
            "response_format.json_schema.strict",
            "a boolean",
        ),
        (
            json!({ "response_format": { "type": "json_object" }, "puna": { "regex": "a" } }),
            "response_format",
            "not to both",
        ),
    ] {
        refused(more, param, says);
    }
}

#[test]
fn extensions_are_under_their_key() {
    let lark = json!({ "puna": { "grammar": { "syntax": "lark", "definition": "start: \"a\"" } } });
    assert_eq!(
        grammar(lark),
        source(Syntax::Lark, "start: \"a\"", "puna.grammar.definition")
    );
    let regex = json!({ "puna": { "regex": "a+" } });
    assert_eq!(grammar(regex), source(Syntax::Regex, "a+", "puna.regex"));
    let request = parse(
        json!({ "puna": { "top_k": 7, "min_p": 0.25, "repetition_penalty": 1.5, "regex": null } }),
    );
    let sampling = request.options.sampling;
    assert_eq!(
        (sampling.top_k, sampling.min_p, sampling.repetition_penalty),
        (7, 0.25, 1.5)
    );
    assert_eq!(request.options.grammar, None);
    assert_eq!(request.options.retention, Retention::Usual);
    for (cache, expected) in [
        ("auto", Retention::Usual),
        ("keep", Retention::Keep),
        ("drop", Retention::Drop),
    ] {
        let request = parse(json!({ "puna": { "cache": cache } }));
        assert_eq!(request.options.retention, expected, "{cache}");
    }
    let body = json!({ "prompt": "Hi", "puna": { "grammar": { "syntax": "gbnf", "definition": "root ::= \"a\"" } } });
    let completion = CompletionRequest::parse(&body.to_string()).unwrap();
    let gbnf = source(Syntax::Gbnf, "root ::= \"a\"", "puna.grammar.definition");
    assert_eq!(completion.options.grammar, gbnf);
    for (puna, param, says) in [
        (json!([]), "puna", "an object"),
        (json!({ "topk": 1 }), "puna.topk", "Unrecognized"),
        (json!({ "top_k": -1 }), "puna.top_k", ">= 0"),
        (json!({ "regex": 1 }), "puna.regex", "a string"),
        (
            json!({ "cache": "none" }),
            "puna.cache",
            "'auto', 'keep' and 'drop'",
        ),
        (
            json!({ "grammar": "start: a" }),
            "puna.grammar",
            "an object",
        ),
        (json!({ "grammar": {} }), "puna.grammar.syntax", "Missing"),
        (
            json!({ "grammar": { "syntax": "ebnf" } }),
            "puna.grammar.syntax",
            "'gbnf', 'lark' and 'regex'",
        ),
        (
            json!({ "grammar": { "syntax": "lark" } }),
            "puna.grammar.definition",
            "Missing",
        ),
        (
            json!({ "grammar": { "syntax": "lark", "definition": "", "x": 1 } }),
            "puna.grammar.x",
            "Unrecognized",
        ),
        (
            json!({ "grammar": { "syntax": "lark", "definition": "" }, "regex": "a" }),
            "puna.regex",
            "not to both",
        ),
        (
            json!({ "regex": "a", "grammar": { "syntax": "lark", "definition": "" } }),
            "puna.grammar",
            "not to both",
        ),
    ] {
        refused(json!({ "puna": puna }), param, says);
    }
}
