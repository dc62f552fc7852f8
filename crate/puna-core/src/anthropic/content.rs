//! What messages hold: texts, and blocks of several kinds.

use serde_json::{Map, Value, json};

use crate::Result;
use crate::chat::{Message, Role};
use crate::openai::field::{Field, missing};

/// A field of a block.
fn part<'v, T>(
    block: Field<'_, 'v>,
    key: &str,
    read: impl FnOnce(Field<'_, 'v>) -> Result<T>,
) -> Result<T> {
    let path = format!("{}.{key}", block.path);
    let value = block.object()?.get(key).ok_or_else(|| missing(&path))?;
    read(Field { path: &path, value })
}

/// Calls `each` with every block of a list, and its type.
fn blocks<'v>(
    field: Field<'_, 'v>,
    mut each: impl FnMut(Field<'_, 'v>, &str) -> Result<()>,
) -> Result<()> {
    for (ix, value) in field.array()?.iter().enumerate() {
        let path = format!("{}.{ix}", field.path);
        let block = Field { path: &path, value };
        let kind = part(block, "type", |it| it.str())?;
        each(block, kind)?;
    }
    Ok(())
}

fn other(block: Field<'_, '_>, kind: &str) -> crate::Error {
    block.unsupported_value(&format!(
        "'{}': blocks of type '{kind}' are not supported here with this model.",
        block.path
    ))
}

/// A text, or blocks of text, a line each.
pub(super) fn text(field: Field<'_, '_>) -> Result<String> {
    if let Some(text) = field.value.as_str() {
        return Ok(text.to_owned());
    }
    let mut texts = Vec::new();
    blocks(field, |block, kind| match kind {
        "text" => {
            texts.push(part(block, "text", |it| it.str())?);
            Ok(())
        }
        _ => Err(other(block, kind)),
    })?;
    Ok(texts.join("\n"))
}

/// A message as turns of a chat: results of tools are turns of their own.
pub(super) fn turns(field: Field<'_, '_>, turns: &mut Vec<Message>) -> Result<()> {
    let role = part(field, "role", |field| match field.str()? {
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        other => Err(field.invalid(format!(
            "{}: Input should be 'user' or 'assistant', got '{other}'",
            field.path
        ))),
    })?;
    part(field, "content", |content| match (content.value, role) {
        (Value::String(text), _) => {
            turns.push(Message::new(role, text.as_str()));
            Ok(())
        }
        (_, Role::Assistant) => {
            turns.push(said(content)?);
            Ok(())
        }
        _ => asked(content, turns),
    })
}

/// What the person said, behind what tools did.
fn asked(content: Field<'_, '_>, turns: &mut Vec<Message>) -> Result<()> {
    let mut texts = Vec::new();
    blocks(content, |block, kind| match kind {
        "text" => {
            texts.push(part(block, "text", |it| it.str())?);
            Ok(())
        }
        "tool_result" => {
            let id = part(block, "tool_use_id", |it| it.str())?;
            let result = match block.object()?.get("content") {
                Some(_) => part(block, "content", text)?,
                None => String::new(),
            };
            turns.push(Message {
                tool_call_id: Some(id.to_owned()),
                ..Message::new(Role::Tool, result)
            });
            Ok(())
        }
        _ => Err(other(block, kind)),
    })?;
    if !texts.is_empty() {
        turns.push(Message::new(Role::User, texts.join("\n")));
    }
    Ok(())
}

/// What the model said: texts, thoughts, and calls of tools.
fn said(content: Field<'_, '_>) -> Result<Message> {
    let (mut texts, mut thoughts, mut calls) = (Vec::new(), Vec::new(), Vec::new());
    blocks(content, |block, kind| {
        match kind {
            "text" => texts.push(part(block, "text", |it| it.str())?),
            "thinking" => thoughts.push(part(block, "thinking", |it| it.str())?),
            // Of a hosted model's own, for which only that has the key.
            "redacted_thinking" => {}
            "tool_use" => {
                let id = part(block, "id", |it| it.str())?;
                let name = part(block, "name", |it| it.str())?;
                let input = part(block, "input", |field| field.object().cloned())?;
                calls.push(json!({
                    "id": id,
                    "type": "function",
                    "function": { "name": name, "arguments": input },
                }));
            }
            _ => return Err(other(block, kind)),
        }
        Ok(())
    })?;
    let mut fields = Map::new();
    if !thoughts.is_empty() {
        fields.insert("reasoning_content".to_owned(), thoughts.join("\n").into());
    }
    if !calls.is_empty() {
        fields.insert("tool_calls".to_owned(), calls.into());
    }
    Ok(Message {
        fields,
        ..Message::new(Role::Assistant, texts.join("\n"))
    })
}
