//! Calls of families that write no JSON, or mark it in other ways.

use serde_json::json;

use super::*;

// In the shape of the models' own.
const QWEN_CODER: &str = "<tool_call>\n<function=NAME>\n<parameter=KEY>\nVALUE\n</parameter>\n</function>\n</tool_call> </think>";
const GLM: &str = "<tool_call>{name}\n<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n</tool_call> </think>";
const PHI: &str = "{% if message['tools'] %}<|tool|>{{ message['tools'] }}<|/tool|>{% endif %}";
const GRANITE: &str = "respond with <|tool_call|> and a JSON list of tools";
const LFM: &str = "<|im_start|>system\nList of tools: [";
const FUNCTION_GEMMA: &str = "<start_function_declaration> <start_function_call>call:";
const GEMMA_4: &str = "<|tool>declaration:<tool|> <|tool_call>call:";
const GEMMA: &str = "<start_of_turn>user\n<end_of_turn>";

fn tools() -> Vec<Callable> {
    let schema = json!({
        "type": "object",
        "properties": {
            "a": { "type": "integer" },
            "b": { "type": "array", "items": {} },
            "s": { "type": "string" },
            "o": { "$ref": "#/$defs/flag" },
        },
        "$defs": { "flag": { "type": ["boolean", "null"] } },
    });
    let weather = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    [("f", schema), ("get_weather", weather)]
        .map(|(name, schema)| Callable {
            arguments: Grammar::json(&schema, "tools"),
            ..Callable::any(name)
        })
        .to_vec()
}

#[track_caller]
fn reads(template: &str, said: &str, expected: &[Part]) {
    check_tools(&tools(), template, "", said, expected);
}

#[test]
fn parameters_between_tags_are_what_their_schema_says() {
    let all = call("f", r#"{"a":5,"b":[2,"x"],"s":"5","o":true}"#);
    reads(
        QWEN_CODER,
        "<think>hm</think>\n\nI look.\n<tool_call>\n<function=f>\n<parameter=a>\n5\n</parameter>\n<parameter=b>\n[2, 'x']\n</parameter>\n\
         <parameter=s>\n5\n</parameter>\n<parameter=o>\nTrue\n</parameter>\n</function>\n</tool_call>",
        &[reasoning("hm"), text("I look."), all.clone()],
    );
    reads(
        GLM,
        "\n<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>5</arg_value>\n<arg_key>b</arg_key>\n<arg_value>[2, \"x\"]</arg_value>\n\
         <arg_key>s</arg_key>\n<arg_value>5</arg_value>\n<arg_key>o</arg_key>\n<arg_value>true</arg_value>\n</tool_call>",
        std::slice::from_ref(&all),
    );
    // Lines within a text are its own, and one that goes without its end is whole none the less.
    reads(
        QWEN_CODER,
        "<tool_call><function=get_weather><parameter=city>\n\n1 < 2 {\"\n </parameter></tool_call>\n<tool_call>\n<function=f>\n</function>\n</tool_call>",
        &[
            call("get_weather", r#"{"city":"\n1 < 2 {\"\n "}"#),
            call("f", "{}"),
        ],
    );
    reads(
        GLM,
        "<tool_call>get_weather</tool_call>",
        &[call("get_weather", "{}")],
    );
    // What is not offered, is cut short or is something else stays as it is.
    for said in [
        "<tool_call>\n<function=g>\n</function>\n</tool_call>",
        "<tool_call>\n<function=f>\n<parameter=a>\n5\n</function>\n</tool_call>",
        "<tool_call>\n<function=f>\n<parameter=a>\n5",
        "<tool_call>\n<function=f>\nfive\n</function>\n</tool_call>",
        "So: <tool_call>f(1)</tool_call>",
    ] {
        reads(QWEN_CODER, said, &[text(said)]);
    }
    for said in [
        "<tool_call>g</tool_call>",
        "<tool_call>f<arg_key>a</arg_key></tool_call>",
        "<tool_call>f<arg_key>a</arg_key><arg_value>1</tool_call>",
    ] {
        reads(GLM, said, &[text(said)]);
    }
}

#[test]
fn calls_of_functions_are_read_as_python_and_as_gemma_write_them() {
    let all = call("f", r#"{"a":5,"b":[2,"x"],"s":"it's","o":null}"#);
    let weather = call("get_weather", r#"{"city":"Oslo, {1}"}"#);
    for said in [
        "I look.<|tool_call_start|>[f(a=5, b=[2, 'x'], s=\"it's\", o=None), get_weather(city='Oslo, {1}')]<|tool_call_end|>",
        "I look.\n<|tool_call_start|>[f(a='5', b=(2, 'x'), s='it's', o=null),get_weather(city=\"Oslo, {1}\",)]<|tool_call_end|>",
        "I look. <|tool_call_start|>[{\"name\": \"f\", \"arguments\": {\"a\": 5, \"b\": [2, \"x\"], \"s\": \"it's\", \"o\": null}}, \
         {\"name\": \"get_weather\", \"arguments\": {\"city\": \"Oslo, {1}\"}}]<|tool_call_end|>",
    ] {
        let expected = [text("I look."), all.clone(), weather.clone()];
        reads(LFM, said, &expected);
    }
    reads(
        LFM,
        "<|tool_call_start|>f()<|tool_call_end|> Done.",
        &[call("f", "{}"), text(" Done.")],
    );
    for (template, [open, close, quote]) in [
        (
            FUNCTION_GEMMA,
            ["<start_function_call>", "<end_function_call>", "<escape>"],
        ),
        (GEMMA_4, ["<|tool_call>", "<tool_call|>", "<|\"|>"]),
    ] {
        let said = format!(
            "{open}call:f{{a:5,b:[2,{quote}x{quote}],s:{quote}it's{quote},o:null}}{close}{open}call:get_weather{{city:{quote}Oslo, {{1}}{quote}}}{close}"
        );
        reads(template, &said, &[all.clone(), weather.clone()]);
        // A word without quotes, a number within them.
        let said = format!("{open}call:f{{a:{quote}5{quote},s:Oslo}}{close}");
        reads(template, &said, &[call("f", r#"{"a":5,"s":"Oslo"}"#)]);
    }
    for said in [
        "<|tool_call_start|>[g(a=1)]<|tool_call_end|>",
        "<|tool_call_start|>[f(a=x)]<|tool_call_end|>",
        "<|tool_call_start|>[f(1)]<|tool_call_end|>",
        "<|tool_call_start|>[f(a=1)] and more<|tool_call_end|>",
        "<|tool_call_start|>[f(a=1",
        "<|tool_call_start|>[]<|tool_call_end|>",
    ] {
        reads(LFM, said, &[text(said)]);
    }
    for said in [
        "<start_function_call>call:f{a:}<end_function_call>",
        "<start_function_call>call:f{a:<escape>1}<end_function_call>",
        "<start_function_call>f",
    ] {
        reads(FUNCTION_GEMMA, said, &[text(said)]);
    }
}

#[test]
fn lists_of_json_are_read_behind_the_marks_of_phi_and_granite() {
    let (a, b) = (call("f", r#"{"a":5}"#), call("get_weather", "{}"));
    let list =
        r#"[{"name": "f", "arguments": {"a": 5}}, {"name": "get_weather", "arguments": {}}]"#;
    let both = [a.clone(), b];
    reads(PHI, &format!("<|tool_call|>{list}<|/tool_call|>"), &both);
    reads(GRANITE, &format!("<|tool_call|>{list}"), &both);
    reads(
        "<|tool_call|>{{ call }}<|/tool_call|>",
        r#"Yes. <|tool_call|>{"name": "f", "arguments": {"a": 5}}<|/tool_call|>"#,
        &[text("Yes."), a],
    );
    let said = "<|tool_call|>[f(1)]<|/tool_call|>";
    reads(PHI, said, &[text(said)]);
}

#[test]
fn gemma_calls_what_a_prompt_describes() {
    let (a, b) = (call("f", r#"{"a":5}"#), call("get_weather", "{}"));
    let list =
        r#"[{"name": "f", "parameters": {"a": 5}}, {"name": "get_weather", "parameters": {}}]"#;
    let both = [a.clone(), b];
    reads(GEMMA, list, &both);
    reads(GEMMA, &format!("```json\n{list}\n```"), &both);
    reads(GEMMA, "[f(a=5), get_weather()]", &both);
    reads(
        GEMMA,
        r#"{"name": "f", "parameters": {"a": 5}}"#,
        std::slice::from_ref(&a),
    );
    reads(
        GEMMA,
        "I look.\n```tool_code\nf(a=5)\n```\n",
        &[text("I look."), a],
    );
    for said in [
        "[1] is a footnote",
        "```json\n{\"a\": 1}\n```",
        "```js\nf(1)\n```",
        "``",
        "Look:\n```tool_code\nprint(f(a=5))\n```",
    ] {
        reads(GEMMA, said, &[text(said)]);
    }
}
