//! Calls as models write them.

use serde_json::{Map, Value};

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// JSON of an object.
    pub arguments: String,
}

pub(super) const DEEPSEEK_BEGIN: &str = "<｜tool▁calls▁begin｜>";
pub(super) const DEEPSEEK_END: &str = "<｜tool▁calls▁end｜>";
pub(super) const DEEPSEEK_CALL_BEGIN: &str = "<｜tool▁call▁begin｜>";
pub(super) const DEEPSEEK_CALL_END: &str = "<｜tool▁call▁end｜>";
pub(super) const DEEPSEEK_SEPARATOR: &str = "<｜tool▁sep｜>";

impl Call {
    pub(super) fn new(name: &str, arguments: &Value) -> Option<Self> {
        // Some write the object as a string.
        let parsed = match arguments {
            Value::String(text) => &crate::json::read(text).ok()?,
            other => other,
        };
        let name = name.trim();
        (parsed.is_object() && !name.is_empty()).then(|| Self {
            name: name.to_owned(),
            arguments: parsed.to_string(),
        })
    }

    /// What it is known by, as the call of that number in an answer: nine letters and digits, as some templates demand.
    #[must_use]
    pub fn id(&self, answer: &str, number: usize) -> String {
        const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
        // FNV-1a (Fowler, Noll, Vo).
        let name = format!("{answer}/{number}/{}", self.name);
        let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let digit = |_| {
            let digit = usize::try_from(hash % 36).ok();
            hash /= 36;
            digit
                .and_then(|ix| DIGITS.get(ix))
                .map_or('a', |it| char::from(*it))
        };
        (0..9).map(digit).collect()
    }

    /// `{"name": …, "arguments" or "parameters": {…}}`; what takes no arguments may have none.
    fn of_object(object: &Map<String, Value>) -> Option<Self> {
        // Some put it inside, as OpenAI does.
        if let Some(Value::Object(function)) = object.get("function") {
            return Self::of_object(function);
        }
        let name = object.get("name")?.as_str()?;
        let arguments = object.get("arguments").or_else(|| object.get("parameters"));
        Self::new(name, arguments.unwrap_or(&Value::Object(Map::new())))
    }
}

/// JSON objects, one or several: in an array, or one behind the other.
pub(super) fn json_objects(text: &str) -> Option<Vec<Call>> {
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
            calls.push(Call::of_object(object.as_object()?)?);
        }
    }
    (!calls.is_empty()).then_some(calls)
}

/// Mistral's: an array of objects, or `NAME[CALL_ID]ID[ARGS]{…}` for each, of which the id may be missing, and in the newest
/// models nothing but the object stands behind the name.
pub(super) fn mistral(text: &str) -> Option<Vec<Call>> {
    let text = text.trim();
    if text.starts_with('[') {
        return json_objects(text);
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
pub(super) fn deepseek(text: &str) -> Option<Vec<Call>> {
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
