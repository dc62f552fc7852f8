#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

use serde_json::{Value, json};

use super::{ChatTemplate, Date, Message, Prompt, Role};
use crate::ErrorCode;

/// Expressions and what Jinja makes of them: `tests/golden/README.md`.
const JINJA: &str = include_str!("../../../../tests/golden/tokenizers/jinja.json");

fn chat(turns: &[(Role, &str)]) -> Vec<Message> {
    turns
        .iter()
        .map(|(role, content)| Message::new(*role, *content))
        .collect()
}

fn two_turns() -> Vec<Message> {
    chat(&[
        (Role::System, "Be brief."),
        (Role::User, "Hi <b>&</b> \"you\" é"),
    ])
}

#[track_caller]
fn check(source: &str, expected: &str) {
    let template = ChatTemplate::from_source(source, "<s>", "</s>").unwrap();
    assert_eq!(
        template.render(&Prompt::answer(&two_turns())).unwrap(),
        expected,
        "{source}"
    );
}

#[track_caller]
fn fails(source: &str, code: ErrorCode, says: &[&str]) {
    let result = ChatTemplate::from_source(source, "<s>", "</s>")
        .and_then(|template| template.render(&Prompt::answer(&two_turns())));
    let error = result.expect_err(source);
    assert_eq!(error.code(), code, "{error}");
    for says in says {
        assert!(
            error.message().contains(says),
            "{error} should say {says:?}"
        );
    }
}

#[test]
fn templates_see_what_hugging_face_gives_them() {
    check(
        "{{ bos_token }}|{{ eos_token }}|{{ add_generation_prompt }}",
        "<s>|</s>|True",
    );
    check(
        "{% for m in messages %}[{{ m.role }}:{{ m['content'] }}]{% endfor %}",
        "[system:Be brief.][user:Hi <b>&</b> \"you\" é]",
    );
    check(
        "{% if tools is not none or documents is not none %}x{% else %}none{% endif %}",
        "none",
    );
    check(
        "{{ messages[0].name is defined }},{{ messages[0].tool_calls is defined }}",
        "False,False",
    );
    check(
        "{% if strftime_now is defined %}a date{% else %}no date{% endif %}",
        "no date",
    );
    check(
        "{% set content = messages[1].content.split(' ')[0].strip() %}{{ content.upper().startswith('HI') }}",
        "True",
    );
    check(
        "{% set ns = namespace(n=0) %}{% for m in messages %}{% if loop.first %}{% continue %}{% endif %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
        "1",
    );
    check(
        "{% macro turn(m, end='.') %}{{ m.role }}{{ end }}{% endmacro %}{{ turn(messages[0], end='!') }}",
        "system!",
    );
    check(
        "{% for m in messages[::-1] %}{{ m.role }} {% endfor %}",
        "user system ",
    );
}

/// Messages as a file has them: fields that are not told apart here go along as they are.
fn messages(value: &Value) -> Vec<Message> {
    let message = |value: &Value| {
        let role = Role::from_name(value["role"].as_str().unwrap()).unwrap();
        let mut message = Message::new(role, "");
        message.fields = value.as_object().unwrap().clone();
        message
    };
    value.as_array().unwrap().iter().map(message).collect()
}

#[test]
fn expressions_give_what_jinja_makes_of_them() {
    let golden: Value = serde_json::from_str(JINJA).unwrap();
    let messages = messages(&golden["messages"]);
    let cases = golden["cases"].as_array().unwrap();
    for case in cases {
        let (source, expected) = (case[0].as_str().unwrap(), case[1].as_str().unwrap());
        let mut template = ChatTemplate::from_source(source, "<s>", "</s>").unwrap();
        template.set_date(Date::new(2024, 7, 26).unwrap());
        let got = template.render(&Prompt::answer(&messages));
        assert_eq!(
            got.as_deref().ok(),
            Some(expected),
            "{source}: {:?}",
            got.as_ref().err()
        );
    }
    assert!(cases.len() > 200, "{} cases", cases.len());
}

#[test]
fn templates_see_tools_documents_and_variables() {
    let source = "{{ tools[0].function.name }},{{ documents[0].title }},{{ enable_thinking }},{{ messages is defined }}";
    let template = ChatTemplate::from_source(source, "", "").unwrap();
    let tools = [json!({ "type": "function", "function": { "name": "sum" } })];
    let documents = [json!({ "title": "T", "text": "x" })];
    let variables = json!({ "enable_thinking": false, "messages": "not these" });
    let prompt = Prompt {
        tools: &tools,
        documents: &documents,
        variables: variables.as_object(),
        ..Prompt::answer(&[])
    };
    assert_eq!(
        template.render(&prompt).unwrap(),
        "sum,T,False,True",
        "all of them"
    );
}

#[test]
fn a_template_for_tools_is_taken_when_there_are_tools() {
    let config = br#"{"chat_template": [{"name": "default", "template": "d"},
        {"name": "tool_use", "template": "t {{ tools | length }}"}, {"name": "rag", "template": "{{"}]}"#;
    let tokenizer = crate::tokenizer::tests::header::Header::small().tokenizer();
    let template = ChatTemplate::from_json(config, None, &tokenizer).unwrap();
    let tools = [json!({})];
    let with_tools = Prompt {
        tools: &tools,
        ..Prompt::default()
    };
    assert_eq!(template.render(&Prompt::default()).unwrap(), "d", "without");
    assert_eq!(template.render(&with_tools).unwrap(), "t 1", "with");
    let template = ChatTemplate::from_json(config, Some("j"), &tokenizer).unwrap();
    assert_eq!(
        template.render(&Prompt::default()).unwrap(),
        "j",
        "a file of its own"
    );
    let template = ChatTemplate::from_json(br#"{"chat_template": "s"}"#, None, &tokenizer);
    assert_eq!(
        template.unwrap().render(&with_tools).unwrap(),
        "s",
        "the only one"
    );

    let header = crate::tokenizer::tests::header::Header::small()
        .str("tokenizer.chat_template", "d")
        .str("tokenizer.chat_template.tool_use", "t")
        .parse();
    let template = ChatTemplate::for_model(&header, &tokenizer, None).unwrap();
    assert_eq!(template.render(&Prompt::default()).unwrap(), "d", "without");
    assert_eq!(template.render(&with_tools).unwrap(), "t", "with");
}

#[test]
fn a_malformed_configuration_is_refused_with_its_place() {
    let tokenizer = crate::tokenizer::tests::header::Header::small().tokenizer();
    for (config, says) in [
        (r#"{"chat_template": 1}"#, "expected a chat template"),
        (
            r#"{"chat_template": [{"name": "default"}]}"#,
            "missing field `template`",
        ),
        (r#"{"chat_template": ["#, "line 1 column"),
        ("3", "invalid type: integer"),
    ] {
        let error = ChatTemplate::from_json(config.as_bytes(), None, &tokenizer).expect_err(says);
        assert_eq!(error.code(), ErrorCode::BadModelFile, "{error}");
        assert!(
            error.message().contains(says),
            "{error} should say {says:?}"
        );
    }
}

#[test]
fn blocks_leave_no_blank_lines() {
    check(
        "{% if true %}\n  {% for m in messages %}\n{{ m.role }}\n  {% endfor %}\n{% endif %}\nend\n",
        "system\nuser\nend",
    );
    check("a\n{%- generation %}\nb{% endgeneration %}\nc", "abc");
}

#[test]
fn json_is_written_as_python_writes_it() {
    check(
        "{{ messages[1] | tojson }}",
        r#"{"role": "user", "content": "Hi <b>&</b> \"you\" é"}"#,
    );
    check(
        "{{ {'a': [1, 2.5, true, none], 'b': {}} | tojson }}",
        r#"{"a": [1, 2.5, true, null], "b": {}}"#,
    );
    check(
        "{{ {'a': [1], 'b': []} | tojson(indent=2) }}",
        "{\n  \"a\": [\n    1\n  ],\n  \"b\": []\n}",
    );
    check("{{ 'é' | tojson(ensure_ascii=false) }}", "\"é\"");
    fails(
        "{{ 1 | tojson(indent=99999999) }}",
        ErrorCode::UnsupportedModel,
        &["indent"],
    );
    fails(
        "{{ 1 | tojson(default=1) }}",
        ErrorCode::UnsupportedModel,
        &["default"],
    );
}

#[test]
fn optional_fields_are_there_when_given() {
    let mut message = Message::new(Role::Tool, "3");
    message.name = Some("sum".to_owned());
    message.tool_call_id = Some("call_1".to_owned());
    let template = ChatTemplate::from_source("{{ messages | tojson }}", "", "").unwrap();
    assert_eq!(
        template
            .render(&Prompt {
                messages: &[message],
                ..Prompt::default()
            })
            .unwrap(),
        r#"[{"role": "tool", "content": "3", "name": "sum", "tool_call_id": "call_1"}]"#,
        "in the order in which they are usually written"
    );
}

#[test]
fn a_developer_is_a_system_to_templates() {
    let template = ChatTemplate::from_source("{{ messages[0].role }}", "", "").unwrap();
    let messages = chat(&[(Role::Developer, "x")]);
    assert_eq!(
        template
            .render(&Prompt {
                messages: &messages,
                ..Prompt::default()
            })
            .unwrap(),
        "system",
        "the older name"
    );
}

#[test]
fn a_date_is_printed_when_given() {
    let source = "{{ strftime_now('%d %b %Y') }}";
    let mut template = ChatTemplate::from_source(source, "", "").unwrap();
    fails(
        source,
        ErrorCode::UnsupportedModel,
        &["strftime_now", "line 1"],
    );
    template.set_date(Date::new(2024, 7, 26).unwrap());
    assert_eq!(
        template.render(&Prompt::answer(&two_turns())).unwrap(),
        "26 Jul 2024",
        "the date"
    );
    let mut template = ChatTemplate::from_source("{{ strftime_now('%H') }}", "", "").unwrap();
    template.set_date(Date::new(2024, 7, 26).unwrap());
    let error = template
        .render(&Prompt::answer(&two_turns()))
        .expect_err("no time of day");
    assert!(error.message().contains("%H"), "{error}");
}

#[test]
fn a_refusal_is_the_requests_fault_and_in_the_templates_words() {
    let refuses = "{% if messages[0].role == 'system' %}\n{{ raise_exception('System role not supported') }}{% endif %}";
    fails(
        refuses,
        ErrorCode::InvalidRequest,
        &["System role not supported"],
    );
    let nested = "{% macro check(m) %}{{ raise_exception('Only ' ~ m.role) }}{% endmacro %}{{ check(messages[0]) }}";
    fails(nested, ErrorCode::InvalidRequest, &["Only system"]);
}

#[test]
fn a_failure_is_the_models_and_names_the_line() {
    fails(
        "{{ messages }}\n{% if %}",
        ErrorCode::UnsupportedModel,
        &["does not parse", "line 2", "`chat_template`"],
    );
    fails(
        "a\nb\n{{ nothing.at.all }}",
        ErrorCode::UnsupportedModel,
        &["fails", "line 3"],
    );
    fails(
        "{{ messages | nonsense }}",
        ErrorCode::UnsupportedModel,
        &["nonsense", "line 1"],
    );
    fails(
        "\n{{ messages[0].content.nonsense() }}",
        ErrorCode::UnsupportedModel,
        &["line 2"],
    );
    fails(
        "{% include 'other' %}",
        ErrorCode::UnsupportedModel,
        &["line 1"],
    );
}

#[test]
fn a_hostile_template_ends_with_an_error() {
    let endless =
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}";
    fails(endless, ErrorCode::UnsupportedModel, &["too much work"]);
    let large = "{% set x = 'x' * 1000000 %}{% for a in range(100000) %}{{ x }}{% endfor %}";
    fails(large, ErrorCode::UnsupportedModel, &["too much work"]);
    fails(
        "{{ 'x' * 4000000000 }}",
        ErrorCode::UnsupportedModel,
        &["line 1"],
    );
    fails(
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        ErrorCode::UnsupportedModel,
        &["recursion"],
    );
    fails(
        &format!("{{{{ {}1{} }}}}", "(".repeat(100_000), ")".repeat(100_000)),
        ErrorCode::UnsupportedModel,
        &["parse"],
    );
    fails(
        &" ".repeat(2 << 20),
        ErrorCode::UnsupportedModel,
        &["bytes"],
    );
}

#[test]
fn long_chats_stay_within_the_budget() {
    let source = "{% set ns = namespace(all='') %}{% for m in messages %}{% if m.role == 'user' %}{% set ns.all = ns.all + '<|im_start|>' + m.role + '\n' + m.content | trim + '<|im_end|>' %}{% endif %}{% endfor %}{{ ns.all }}";
    let template = ChatTemplate::from_source(source, "", "").unwrap();
    let words = "word ".repeat(100);
    let messages = vec![Message::new(Role::User, words); 500];
    assert!(
        template.render(&Prompt::answer(&messages)).unwrap().len() > 250_000,
        "a long prompt"
    );
}
