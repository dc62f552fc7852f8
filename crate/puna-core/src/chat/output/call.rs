//! A call of a tool.

use serde_json::{Map, Value};

use super::Callable;
use super::kind::{allows, typed};

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The tool's name.
    pub name: String,
    /// JSON of an object.
    pub arguments: String,
}

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

    /// With arguments that were not written as JSON: where the tool's schema wants no text, texts are what they say.
    pub(super) fn of_members(
        name: &str,
        mut arguments: Map<String, Value>,
        tools: &[Callable],
    ) -> Option<Self> {
        let name = name.trim();
        let tool = tools.iter().find(|tool| tool.name == name);
        let root = tool.and_then(Callable::schema).unwrap_or_default();
        for (key, value) in &mut arguments {
            let schema = root.pointer("/properties").and_then(|all| all.get(key));
            let schema = schema.unwrap_or(&Value::Bool(true));
            if let Value::String(text) = value
                && !allows(schema, &root, &Value::from(""))
            {
                *value = typed(schema, &root, text);
            }
        }
        Self::new(name, &Value::Object(arguments))
    }
}

/// What a call of a tool is known by, as the one of that number in an answer: nine letters and digits, as some templates demand.
#[must_use]
pub fn call_id(name: &str, answer: &str, number: usize) -> String {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    // FNV-1a (Fowler, Noll, Vo).
    let text = format!("{answer}/{number}/{name}");
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
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
