//! Which parts of a JSON schema are schemas.

use serde_json::{Map, Value};

/// Keywords whose values are schemas.
const ONE: [&str; 12] = [
    "additionalItems",
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose values are lists of schemas.
const LISTS: [&str; 5] = ["allOf", "anyOf", "items", "oneOf", "prefixItems"];
/// Keywords whose values are schemas by name; definitions first, for what is wrong with one is wrong with all that refer to it.
const NAMED: [&str; 5] = [
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
    "properties",
];

/// The schemas directly inside of one, each with the JSON pointer (RFC 6901) to it, definitions first.
pub(crate) fn parts(schema: &Value) -> Vec<(String, &Value)> {
    let mut parts = Vec::new();
    let Value::Object(schema) = schema else {
        return parts;
    };
    for key in NAMED {
        if let Some(Value::Object(named)) = schema.get(key) {
            let pointer = |name: &str| format!("/{key}/{}", escaped(name));
            parts.extend(named.iter().map(|(name, part)| (pointer(name), part)));
        }
    }
    for key in LISTS {
        if let Some(Value::Array(list)) = schema.get(key) {
            let list = list.iter().enumerate();
            parts.extend(list.map(|(ix, part)| (format!("/{key}/{ix}"), part)));
        }
    }
    for key in ONE {
        if let Some(part @ (Value::Object(_) | Value::Bool(_))) = schema.get(key) {
            parts.push((format!("/{key}"), part));
        }
    }
    parts
}

/// Changes a schema, and all that are inside of it.
pub(crate) fn change_all(schema: &mut Value, change: &dyn Fn(&mut Map<String, Value>)) {
    let pointers: Vec<String> = parts(schema).into_iter().map(|(it, _)| it).collect();
    for pointer in pointers {
        if let Some(part) = schema.pointer_mut(&pointer) {
            change_all(part, change);
        }
    }
    if let Value::Object(schema) = schema {
        change(schema);
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
