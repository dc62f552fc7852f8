//! Messages of a request.

use serde_json::{Map, Value, json};

use super::field::{Field, missing};
use crate::Result;
use crate::chat::{Message, Role};

/// The field `messages`.
pub(super) fn parse_all(field: Field<'_, '_>) -> Result<Vec<Message>> {
    let values = field.array()?;
    if values.is_empty() {
        return Err(field.empty_array());
    }
    let parse = |(ix, value)| {
        let path = format!("{}[{ix}]", field.path);
        parse(Field { path: &path, value })
    };
    values.iter().enumerate().map(parse).collect()
}

fn parse(field: Field<'_, '_>) -> Result<Message> {
    let (mut role, mut content) = (None, None);
    let (mut name, mut tool_call_id) = (None, None);
    let mut silent = None;
    let mut fields = Map::new();
    for (key, value) in field.object()? {
        let path = format!("{}.{key}", field.path);
        let field = Field { path: &path, value };
        match key.as_str() {
            "role" => role = Some(parse_role(field)?),
            // An answer that calls tools may say nothing.
            "content" if value.is_null() => silent = Some(path),
            "content" => content = Some(parse_content(field)?),
            // An answer's message is often sent back as it came: with fields that say nothing.
            _ if is_nothing(value) => {}
            "name" => name = Some(field.str()?.to_owned()),
            "tool_call_id" => tool_call_id = Some(field.str()?.to_owned()),
            "tool_calls" => {
                fields.insert("tool_calls".to_owned(), parse_calls(field)?);
            }
            // As answers have it; templates of models that reason look at it.
            "reasoning_content" => {
                fields.insert(key.clone(), field.str()?.into());
            }
            "function_call" | "audio" | "refusal" | "annotations" => {
                return Err(field.unsupported());
            }
            _ => return Err(field.unrecognized()),
        }
    }
    Ok(Message {
        role: role.ok_or_else(|| missing(&format!("{}.role", field.path)))?,
        content: match (content, silent, fields.contains_key("tool_calls")) {
            (Some(content), _, _) => content,
            (None, _, true) => String::new(),
            (None, Some(path), false) => {
                return Err(Field {
                    path: &path,
                    value: &Value::Null,
                }
                .wrong_type("one of a string or array of objects"));
            }
            (None, None, false) => return Err(missing(&format!("{}.content", field.path))),
        },
        name,
        tool_call_id,
        fields,
    })
}

/// Calls of an answer, as templates expect them: with arguments as an object.
fn parse_calls(field: Field<'_, '_>) -> Result<Value> {
    let parse = |(ix, value)| {
        let path = format!("{}[{ix}]", field.path);
        parse_call(Field { path: &path, value })
    };
    field.array()?.iter().enumerate().map(parse).collect()
}

fn parse_call(field: Field<'_, '_>) -> Result<Value> {
    let call = field.object()?;
    let text = |object: &Map<String, Value>, key: &str, path: &str| -> Result<String> {
        let value = object.get(key).ok_or_else(|| missing(path))?;
        Ok(Field { path, value }.str()?.to_owned())
    };
    let id = text(call, "id", &format!("{}.id", field.path))?;
    let path = format!("{}.function", field.path);
    let function = call.get("function").ok_or_else(|| missing(&path))?;
    let function = Field {
        path: &path,
        value: function,
    }
    .object()?;
    let name = text(function, "name", &format!("{path}.name"))?;
    let arguments = text(function, "arguments", &format!("{path}.arguments"))?;
    // What is no object goes to the template as it is.
    let arguments = crate::json::read(&arguments)
        .ok()
        .filter(Value::is_object)
        .unwrap_or(Value::String(arguments));
    Ok(json!({
        "id": id,
        "type": "function",
        "function": { "name": name, "arguments": arguments },
    }))
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.is_empty(),
        _ => false,
    }
}

fn parse_role(field: Field<'_, '_>) -> Result<Role> {
    let name = field.str()?;
    Role::from_name(name).ok_or_else(|| {
        let known: Vec<String> = Role::ALL
            .iter()
            .map(|role| format!("'{}'", role.as_str()))
            .collect();
        field.invalid(format!(
            "Invalid value for '{}': '{name}'. Supported values are: {}.",
            field.path,
            known.join(", ")
        ))
    })
}

/// A string, or parts of text, which are joined by line breaks.
fn parse_content(field: Field<'_, '_>) -> Result<String> {
    match field.value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) if parts.is_empty() => Err(field.empty_array()),
        Value::Array(parts) => {
            let parse = |(ix, value)| {
                let path = format!("{}[{ix}]", field.path);
                parse_part(Field { path: &path, value })
            };
            let texts: Vec<&str> = parts.iter().enumerate().map(parse).collect::<Result<_>>()?;
            Ok(texts.join("\n"))
        }
        _ => Err(field.wrong_type("one of a string or array of objects")),
    }
}

fn parse_part<'v>(field: Field<'_, 'v>) -> Result<&'v str> {
    let part = field.object()?;
    let kind = part
        .get("type")
        .ok_or_else(|| missing(&format!("{}.type", field.path)))?;
    let path = format!("{}.type", field.path);
    let kind = Field {
        path: &path,
        value: kind,
    };
    match kind.str()? {
        "text" => {}
        other => {
            return Err(kind.invalid(format!(
                "Invalid value for '{path}': '{other}'. Parts of this type are not supported with this model; supported values are: 'text'."
            )));
        }
    }
    let mut text = None;
    for (key, value) in part {
        let path = format!("{}.{key}", field.path);
        match key.as_str() {
            "type" => {}
            "text" => text = Some(Field { path: &path, value }.str()?),
            _ => return Err(Field { path: &path, value }.unrecognized()),
        }
    }
    text.ok_or_else(|| missing(&format!("{}.text", field.path)))
}
