//! Tools and calls for templates that show none.

use serde_json::{Value, json};

use crate::chat::{ChatTemplate, Message, Prompt, Role};

fn conversation() -> Vec<Message> {
    let mut called = Message::new(Role::Assistant, "I look.");
    let calls = json!([
        { "id": "1", "type": "function", "function": { "name": "f", "arguments": { "a": 1, "s": "x y" } } },
        { "id": "2", "type": "function", "function": { "name": "f", "arguments": {} } },
    ]);
    called.fields.insert("tool_calls".to_owned(), calls);
    vec![
        Message::new(Role::User, "Hi"),
        called,
        Message::new(Role::Tool, "3\n"),
        Message::new(Role::Tool, "4"),
        Message::new(Role::User, "So?"),
    ]
}

fn tools() -> Vec<Value> {
    vec![json!({ "type": "function", "function": { "name": "f" } })]
}

fn rendered(source: &str, messages: &[Message], tools: &[Value]) -> String {
    let template = ChatTemplate::from_source(source, "", "").unwrap();
    let messages = template.style().messages(messages, tools);
    let prompt = Prompt {
        tools,
        ..Prompt::answer(&messages)
    };
    template.render(&prompt).unwrap()
}

#[test]
fn gemma_is_told_of_tools_and_results_by_its_user() {
    // In the shape of the model's own: turns go back and forth, or it refuses them.
    let source = "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('turns') }}{% endif %}\
        <start_of_turn>{{ 'model' if m.role == 'assistant' else m.role }}\n{{ m.content | trim }}<end_of_turn>\n{% endfor %}";
    let got = rendered(source, &conversation(), &tools());
    let (offer, others) = got.split_once("\n\nHi<end_of_turn>\n").unwrap();
    assert!(
        offer.starts_with("<start_of_turn>user\nYou can call functions.")
            && offer.ends_with(":\n[{\"name\":\"f\"}]"),
        "{offer}"
    );
    assert_eq!(
        others,
        "<start_of_turn>model\nI look.\n[{\"name\": \"f\", \"parameters\": {\"a\":1,\"s\":\"x y\"}}, {\"name\": \"f\", \"parameters\": {}}]<end_of_turn>\n\
         <start_of_turn>user\n```tool_output\n3\n```\n```tool_output\n4\n```\nSo?<end_of_turn>\n"
    );
    let silent = rendered(source, &conversation()[..1], &[]);
    assert_eq!(silent, "<start_of_turn>user\nHi<end_of_turn>\n");
}

#[test]
fn phi_finds_tools_in_its_system_message() {
    let source = "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message %}<|system|>{{ message['content'] }}\
        <|tool|>{{ message['tools'] }}<|/tool|><|end|>{% else %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endif %}{% endfor %}";
    let got = rendered(source, &conversation()[..2], &tools());
    assert_eq!(
        got,
        "<|system|><|tool|>[{\"name\":\"f\"}]<|/tool|><|end|><|user|>Hi<|end|><|assistant|>I look.\n\
         <|tool_call|>[{\"name\": \"f\", \"arguments\": {\"a\":1,\"s\":\"x y\"}}, {\"name\": \"f\", \"arguments\": {}}]<|/tool_call|><|end|>"
    );
    let mut messages = vec![Message::new(Role::Developer, "Rule.")];
    messages.extend(conversation());
    let got = rendered(source, &messages[..2], &tools());
    assert!(got.starts_with("<|system|>Rule.<|tool|>["), "{got}");
    assert!(!rendered(source, &messages[..2], &[]).contains("<|tool|>"));
}

#[test]
fn calls_that_a_template_does_not_show_are_written_as_the_model_writes_them() {
    let source = "List of tools: {{ tools | tojson }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}{% endfor %}";
    let got = rendered(source, &conversation()[..3], &tools());
    let call = "I look.\n<|tool_call_start|>[f(a=1, s=\"x y\"), f()]<|tool_call_end|><|im_start|>tool\n3\n";
    assert!(got.ends_with(call), "{got}");
    // A template that shows them is left alone.
    let source = format!("{source}{{# tool_calls #}}");
    let got = rendered(&source, &conversation()[..2], &tools());
    assert!(got.ends_with("I look."), "{got}");
}
