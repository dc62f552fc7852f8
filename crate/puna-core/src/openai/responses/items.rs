//! What `input` holds: a text, or items of several types.

use serde_json::{Map, Value, json};

use crate::Result;
use crate::chat::{Message, Role};
use crate::openai::field::Field;

/// Turns of a chat, as they are made of items.
#[derive(Debug, Default)]
pub(super) struct Turns {
    pub(super) messages: Vec<Message>,
    /// What was thought in front of the turn that comes next.
    thoughts: Vec<String>,
}

impl Turns {
    /// Takes the field `input`.
    pub(super) fn read(&mut self, field: Field<'_, '_>) -> Result<()> {
        match field.value {
            Value::String(text) => self.messages.push(Message::new(Role::User, text.as_str())),
            Value::Array(items) if items.is_empty() => return Err(field.empty_array()),
            Value::Array(items) => {
                for (ix, value) in items.iter().enumerate() {
                    let path = format!("{}[{ix}]", field.path);
                    self.item(Field { path: &path, value })?;
                }
            }
            _ => return Err(field.wrong_type("one of a string or array of objects")),
        }
        Ok(())
    }

    fn item(&mut self, item: Field<'_, '_>) -> Result<()> {
        let kind = item.optional("type", |it| it.str())?;
        match kind.unwrap_or("message") {
            "message" => self.message(item),
            "function_call" => self.call(item),
            "function_call_output" => self.result(item),
            "reasoning" => self.reasoning(item),
            other => Err(item.unsupported_value(&format!(
                "'{}': items of type '{other}' are not supported with this model; supported types are: 'message', \
                 'function_call', 'function_call_output' and 'reasoning'.",
                item.path
            ))),
        }
    }

    fn message(&mut self, item: Field<'_, '_>) -> Result<()> {
        const ROLES: &[(&str, Role)] = &[
            ("user", Role::User),
            ("assistant", Role::Assistant),
            ("system", Role::System),
            ("developer", Role::Developer),
        ];
        let role = item.member("role", |it| it.one_of(ROLES))?;
        let content = item.member("content", |it| parts(it, &["input_text", "output_text"]))?;
        let message = Message::new(role, content);
        match role {
            Role::Assistant => self.say(message),
            _ => self.messages.push(message),
        }
        Ok(())
    }

    /// A turn of the model's, with what it thought before.
    fn say(&mut self, mut message: Message) {
        let thoughts = std::mem::take(&mut self.thoughts);
        if !thoughts.is_empty() {
            let thoughts = thoughts.join("\n").into();
            message
                .fields
                .insert("reasoning_content".to_owned(), thoughts);
        }
        self.messages.push(message);
    }

    /// A call belongs to the turn in which it was made.
    fn call(&mut self, item: Field<'_, '_>) -> Result<()> {
        let id = item.member("call_id", |it| it.str())?;
        let name = item.member("name", |it| it.str())?;
        let arguments = item.member("arguments", |it| it.str())?;
        // What is no object goes to the template as it is.
        let arguments = crate::json::read(arguments)
            .ok()
            .filter(Value::is_object)
            .unwrap_or_else(|| arguments.into());
        let call = json!({
            "id": id,
            "type": "function",
            "function": { "name": name, "arguments": arguments },
        });
        let is_models = |it: &Message| it.role == Role::Assistant;
        if !self.thoughts.is_empty() || !self.messages.last().is_some_and(is_models) {
            self.say(Message::new(Role::Assistant, ""));
        }
        if let Some(turn) = self.messages.last_mut() {
            let calls = turn.fields.entry("tool_calls");
            if let Value::Array(calls) = calls.or_insert_with(|| json!([])) {
                calls.push(call);
            }
        }
        Ok(())
    }

    fn result(&mut self, item: Field<'_, '_>) -> Result<()> {
        let id = item.member("call_id", |it| it.str())?.to_owned();
        let output = item.member("output", |it| parts(it, &["input_text"]))?;
        self.messages.push(Message {
            tool_call_id: Some(id),
            ..Message::new(Role::Tool, output)
        });
        Ok(())
    }

    fn reasoning(&mut self, item: Field<'_, '_>) -> Result<()> {
        let content = item.optional("content", |it| parts(it, &["reasoning_text"]))?;
        let summary = item.optional("summary", |it| parts(it, &["summary_text"]))?;
        // What is encrypted only its maker can read.
        let said = [content, summary].into_iter().flatten();
        self.thoughts.extend(said.filter(|it| !it.is_empty()));
        Ok(())
    }
}

/// A string, or parts of text, a line each.
fn parts(field: Field<'_, '_>, kinds: &[&str]) -> Result<String> {
    if let Some(text) = field.value.as_str() {
        return Ok(text.to_owned());
    }
    let parts: Result<Vec<&str>> = field
        .array()
        .map_err(|_| field.wrong_type("one of a string or array of objects"))?
        .iter()
        .enumerate()
        .map(|(ix, value)| {
            let path = format!("{}[{ix}]", field.path);
            let part = Field { path: &path, value };
            let kind = part.member("type", |it| it.str())?;
            if !kinds.contains(&kind) {
                return Err(part.unsupported_value(&format!(
                    "'{path}': parts of type '{kind}' are not supported here with this model; supported types are: '{}'.",
                    kinds.join("', '")
                )));
            }
            part.member("text", |it| it.str())
        })
        .collect();
    Ok(parts?.join("\n"))
}

/// Tools and choices as chats have them: what is called stands in a member of its own there.
pub(super) fn nested(tool: Field<'_, '_>) -> Result<Value> {
    let mut function = Map::new();
    for (key, value) in tool.object()? {
        let is_function = matches!(
            key.as_str(),
            "name" | "description" | "parameters" | "strict"
        );
        if is_function && !value.is_null() {
            function.insert(key.clone(), value.clone());
        }
    }
    Ok(json!({ "type": "function", "function": function }))
}
