//! What a JSON schema has to say of a value's kind: arguments that are written as they are don't tell it.

use serde_json::Value;

use super::literal;

/// References that are followed, one behind the other.
const MOST_STEPS: usize = 16;

/// What a schema is, behind references into `root`.
pub(super) fn resolved<'s>(mut schema: &'s Value, root: &'s Value) -> &'s Value {
    for _ in 0..MOST_STEPS {
        let target = schema.get("$ref").and_then(Value::as_str);
        let pointer = target.and_then(|it| it.strip_prefix('#'));
        match pointer.and_then(|it| root.pointer(it)) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// Whether a value of this one's kind may be what a schema within `root` describes.
pub(super) fn allows(schema: &Value, root: &Value, value: &Value) -> bool {
    allows_within(schema, root, value, MOST_STEPS)
}

fn allows_within(schema: &Value, root: &Value, value: &Value, steps: usize) -> bool {
    let Some(steps) = steps.checked_sub(1) else {
        return true;
    };
    let schema = resolved(schema, root);
    let is_whole = value.as_f64().is_some_and(|it| it.fract() == 0.0);
    let is_of = |kind: &Value| match value {
        Value::Null => kind == "null",
        Value::Bool(_) => kind == "boolean",
        Value::Number(_) => kind == "number" || kind == "integer" && is_whole,
        Value::String(_) => kind == "string",
        Value::Array(_) => kind == "array",
        Value::Object(_) => kind == "object",
    };
    let of_type = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(is_of),
        Some(kind) => is_of(kind),
        None => true,
    };
    let is_same = |it: &Value| std::mem::discriminant(it) == std::mem::discriminant(value);
    let of_values = match (schema.get("enum"), schema.get("const")) {
        (Some(Value::Array(all)), _) => all.iter().any(is_same),
        (_, Some(one)) => is_same(one),
        _ => true,
    };
    let of_parts = ["anyOf", "oneOf", "allOf"].iter().all(|key| {
        let Some(Value::Array(parts)) = schema.get(key) else {
            return true;
        };
        let mut parts = parts.iter();
        let allow = |part: &Value| allows_within(part, root, value, steps);
        match *key {
            "allOf" => parts.all(allow),
            _ => parts.any(allow),
        }
    });
    of_type && of_values && of_parts
}

/// A value as it was written, by the schema: a text if it may be one and is nothing else that it may be.
pub(super) fn typed(schema: &Value, root: &Value, text: &str) -> Value {
    let value = literal::value(text).filter(|it| !it.is_string() && allows(schema, root, it));
    value.unwrap_or_else(|| text.into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_what_their_schema_allows() {
        let root =
            json!({ "$defs": { "n": { "type": "integer" }, "loop": { "$ref": "#/$defs/loop" } } });
        for (schema, text, expected) in [
            (json!({ "type": "string" }), "5", json!("5")),
            (json!({ "type": "string" }), " null\n", json!(" null\n")),
            (json!({ "type": "integer" }), " 5\n", json!(5)),
            (json!({ "type": "integer" }), "5.5", json!("5.5")),
            (json!({ "type": "number" }), "5", json!(5)),
            (json!({ "type": "boolean" }), "True", json!(true)),
            (json!({ "type": "boolean" }), "yes", json!("yes")),
            (json!({ "type": ["string", "null"] }), "None", json!(null)),
            (json!({ "type": ["string", "null"] }), "5", json!("5")),
            (
                json!({ "type": "array" }),
                "['a', {\"b\": 1}]",
                json!(["a", { "b": 1 }]),
            ),
            (
                json!({ "type": "object" }),
                "{\"b\": [1]}",
                json!({ "b": [1] }),
            ),
            (json!({ "$ref": "#/$defs/n" }), "5", json!(5)),
            (json!({ "$ref": "#/$defs/loop" }), "5", json!(5)),
            (json!({ "enum": ["1", "2"] }), "1", json!("1")),
            (json!({ "const": 1 }), "1", json!(1)),
            (
                json!({ "anyOf": [{ "type": "string" }, { "type": "null" }] }),
                "5",
                json!("5"),
            ),
            (
                json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] }),
                "5",
                json!(5),
            ),
            (json!({}), "5", json!(5)),
            (json!(true), "a b", json!("a b")),
        ] {
            assert_eq!(typed(&schema, &root, text), expected, "{schema}: {text:?}");
        }
    }
}
