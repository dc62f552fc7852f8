//! What a template does not say of tools, said in messages.

use serde_json::{Map, Value};

use super::block::{Block, Offer, Writing};
use crate::chat::{Message, Role};

/// Messages for a template that does not offer `tools`, or shows no calls.
pub(super) fn messages(
    block: &Block,
    shows_calls: bool,
    messages: &[Message],
    tools: &[Value],
) -> Vec<Message> {
    let by_words = matches!(block.offer, Offer::Words(_));
    let mut told: Vec<Message> = Vec::new();
    // Whether the last one is of results.
    let mut has_results = false;
    for message in messages {
        let mut message = message.clone();
        if !shows_calls && let Some(calls) = message.fields.shift_remove("tool_calls") {
            if !message.content.is_empty() {
                message.content.push('\n');
            }
            message.content.push_str(&block.writing.written(&calls));
        }
        let is_result = message.role == Role::Tool && by_words;
        if is_result {
            let content = message.content.trim_end();
            let content = format!("```tool_output\n{content}\n```");
            message = Message::new(Role::User, content);
        }
        match told.last_mut() {
            // Turns of user and model go back and forth in such templates.
            Some(last) if has_results && message.role == Role::User => {
                last.content.push('\n');
                last.content.push_str(&message.content);
            }
            _ => {
                has_results = is_result;
                told.push(message);
            }
        }
    }
    match block.offer {
        _ if tools.is_empty() => {}
        Offer::Template => {}
        Offer::Field(name) => {
            let functions = tools
                .iter()
                .map(|tool| tool.get("function").unwrap_or(tool));
            let functions = functions.cloned().collect::<Value>().to_string();
            let is_first = |it: &Message| matches!(it.role, Role::System | Role::Developer);
            if !told.first().is_some_and(is_first) {
                told.insert(0, Message::new(Role::System, ""));
            }
            if let Some(first) = told.first_mut() {
                first.fields.insert(name.to_owned(), functions.into());
            }
        }
        Offer::Words(words) => {
            let functions = tools
                .iter()
                .map(|tool| tool.get("function").unwrap_or(tool));
            let functions = functions.cloned().collect::<Value>();
            let first = told.iter_mut().find(|it| it.role == Role::User);
            if let Some(first) = first {
                first.content = format!("{words}{functions}\n\n{}", first.content);
            }
        }
    }
    told
}

impl Writing {
    /// Calls, as requests have them, as the model writes them.
    fn written(&self, calls: &Value) -> String {
        let [front, middle, back] = self.call;
        let calls = calls.as_array().into_iter().flatten().map(|call| {
            let function = call.get("function").unwrap_or(call);
            let name = function.get("name").and_then(Value::as_str);
            let arguments = match function.get("arguments") {
                Some(Value::Object(arguments)) => self.arguments(arguments),
                Some(Value::String(text)) => text.clone(),
                other => other.unwrap_or(&Value::Null).to_string(),
            };
            format!("{front}{}{middle}{arguments}{back}", name.unwrap_or(""))
        });
        let calls: Vec<String> = calls.collect();
        format!("{}{}{}", self.begin, calls.join(self.between), self.end)
    }

    fn arguments(&self, arguments: &Map<String, Value>) -> String {
        let Some(members) = self.members else {
            return Value::Object(arguments.clone()).to_string();
        };
        let [front, middle] = members.name;
        let written = arguments.iter().map(|(name, value)| {
            let value = match (value, members.quote) {
                (Value::String(text), Some(quote)) => format!("{quote}{text}{quote}"),
                (value, _) => value.to_string(),
            };
            format!("{front}{name}{middle}{value}{}", members.back)
        });
        written.collect::<Vec<_>>().join(members.between)
    }
}
