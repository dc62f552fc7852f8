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
/// Where definitions are: as they are called now, and were called before.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];
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

/// Takes out what says nothing, which a compiler that does not know the keyword would refuse.
pub(crate) fn without_idle(schema: &mut Map<String, Value>) {
    schema.retain(|key, value| {
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        let says_nothing = match key.as_str() {
            "uniqueItems" => *value == Value::Bool(false),
            "propertyNames" | "unevaluatedItems" | "unevaluatedProperties" => {
                is_empty || *value == Value::Bool(true)
            }
            "dependentRequired" | "dependentSchemas" => is_empty,
            _ => false,
        };
        !says_nothing
    });
}

/// Gives definitions names that stand in references as they are (RFC 6901, and in a URI's fragment RFC 3986), and the references
/// to them those names.
pub(crate) fn with_plain_names(root: &mut Value) {
    // By how a definition is pointed to without any escapes: how it is from now on.
    let mut plain_names = Map::new();
    for key in DEFINITIONS {
        let Some(Value::Object(named)) = root.get_mut(key) else {
            continue;
        };
        let mut number = 0;
        let mut plain_name = |name: &String| {
            let mut plain = name.clone();
            while !is_plain(&plain) || plain != *name && named.contains_key(&plain) {
                number += 1;
                plain = format!("definition{number}");
            }
            plain
        };
        let plain: Vec<String> = named.keys().map(&mut plain_name).collect();
        for ((name, schema), plain) in std::mem::take(named).into_iter().zip(plain) {
            plain_names.insert(format!("#/{key}/{name}"), format!("#/{key}/{plain}").into());
            named.insert(plain, schema);
        }
    }
    change_all(root, &|schema| {
        let Some(Value::String(reference)) = schema.get_mut("$ref") else {
            return;
        };
        for key in DEFINITIONS {
            let front = format!("#/{key}/");
            let Some(path) = reference.strip_prefix(&front) else {
                continue;
            };
            let (first, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
            let found =
                unescaped(first).and_then(|name| plain_names.get(&format!("{front}{name}")));
            // Some write names as they are, whatever is in them.
            let found = found.or_else(|| plain_names.get(&format!("{front}{first}")));
            if let Some(Value::String(plain)) = found {
                *reference = format!("{plain}{rest}");
                return;
            }
        }
    });
}

fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

/// A name as it is in a reference, if that can be read.
fn unescaped(name: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = name.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(16 * high + low).ok()?
            }
            byte => byte,
        });
    }
    let name = String::from_utf8(bytes).ok()?;
    Some(name.replace("~1", "/").replace("~0", "~"))
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
