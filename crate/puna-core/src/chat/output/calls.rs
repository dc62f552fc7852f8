//! Calls that are JSON, with marks between them.

use serde_json::{Map, Value};

use super::Callable;
use super::call::Call;

pub(super) const DEEPSEEK_BEGIN: &str = "<｜tool▁calls▁begin｜>";
pub(super) const DEEPSEEK_END: &str = "<｜tool▁calls▁end｜>";
pub(super) const DEEPSEEK_CALL_BEGIN: &str = "<｜tool▁call▁begin｜>";
pub(super) const DEEPSEEK_CALL_END: &str = "<｜tool▁call▁end｜>";
pub(super) const DEEPSEEK_SEPARATOR: &str = "<｜tool▁sep｜>";

/// `{"name": …, "arguments" or "parameters": {…}}`; what takes no arguments may have none.
fn of_object(object: &Map<String, Value>) -> Option<Call> {
    // Some put it inside, as OpenAI does.
    if let Some(Value::Object(function)) = object.get("function") {
        return of_object(function);
    }
    let name = object.get("name")?.as_str()?;
    let arguments = object.get("arguments").or_else(|| object.get("parameters"));
    Call::new(name, arguments.unwrap_or(&Value::Object(Map::new())))
}

/// JSON objects, one or several: in an array, or one behind the other.
pub(super) fn json_objects(text: &str, _: &[Callable]) -> Option<Vec<Call>> {
    let mut calls = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let mut values = serde_json::Deserializer::from_slice(rest.as_bytes()).into_iter::<Value>();
        let value = values.next()?.ok()?;
        rest = rest.get(values.byte_offset()..)?;
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || [';', ','].contains(&c));
        let objects = match &value {
            Value::Array(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        for object in objects {
            calls.push(of_object(object.as_object()?)?);
        }
    }
    (!calls.is_empty()).then_some(calls)
}

/// Mistral's: an array of objects, or `NAME[CALL_ID]ID[ARGS]{…}` for each, of which the id may be missing, and in the newest
/// models nothing but the object stands behind the name.
pub(super) fn mistral(text: &str, tools: &[Callable]) -> Option<Vec<Call>> {
    let text = text.trim();
    if text.starts_with('[') {
        return json_objects(text, tools);
    }
    let mut calls = Vec::new();
    for part in text.split("[TOOL_CALLS]") {
        let brace = part.find('{')?;
        let (front, arguments) = part.split_at_checked(brace)?;
        let name = front.split('[').next()?;
        calls.push(Call::new(name, &crate::json::read(arguments).ok()?)?);
    }
    (!calls.is_empty()).then_some(calls)
}

/// `DeepSeek`'s: `function<sep>NAME` and a fenced block of JSON for each call, or, from V3.1 on, `NAME<sep>{…}`.
pub(super) fn deepseek(text: &str, _: &[Callable]) -> Option<Vec<Call>> {
    let mut calls = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let body = rest.strip_prefix(DEEPSEEK_CALL_BEGIN)?;
        let (body, behind) = body.split_once(DEEPSEEK_CALL_END)?;
        rest = behind.trim_start();
        let (first, second) = body.split_once(DEEPSEEK_SEPARATOR)?;
        let (name, arguments) = match second.trim_start().starts_with('{') {
            true => (first, second),
            false => second.split_once('\n')?,
        };
        let arguments = arguments.trim();
        let fenced = arguments.strip_prefix("```json");
        let arguments = fenced.map_or(arguments, |it| it.trim_end_matches('`'));
        calls.push(Call::new(name, &crate::json::read(arguments).ok()?)?);
    }
    (!calls.is_empty()).then_some(calls)
}
