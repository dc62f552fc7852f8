//! What of a grammar does not compile, and where in it.

use puna_core::Error;
use puna_core::grammar::{Grammar, Source, Syntax};
use serde_json::{Map, Value};

use crate::schema::parts;

/// Parts of a schema that are compiled on their own to find the one that fails, at most.
const MOST_TRIALS: usize = 2000;

/// The error of a grammar of which llguidance says `message`. `fails` compiles a part alone: what it says of it.
pub(crate) fn blame(
    grammar: &Grammar,
    message: &str,
    fails: &dyn Fn(&Grammar) -> Option<String>,
) -> Error {
    let mut sources: Vec<&Source> = Vec::new();
    grammar.visit(&mut |part| {
        if let Grammar::Source(source) = part {
            sources.push(source);
        }
    });
    for source in &sources {
        let said = fails(&Grammar::Source(Source::clone(source)));
        let Some(said) = said.map(|said| words(source.syntax, said)) else {
            continue;
        };
        let place = match source.syntax {
            Syntax::JsonSchema => place(source, &said, fails),
            _ => None,
        };
        return match place {
            Some((pointer, said)) => refused(source, Some(&pointer), &said),
            None => refused(source, None, &said),
        };
    }
    match sources.iter().find(|source| !source.param.is_empty()) {
        // Each alone would do: together they are too much.
        Some(source) => refused(source, None, message),
        None => Error::internal(format!("a grammar of a chat template's marks: {message}")),
    }
}

/// The refusal of what somebody wrote; `place` is a JSON pointer.
pub(crate) fn refused(source: &Source, place: Option<&str>, said: &str) -> Error {
    let what = match source.syntax {
        Syntax::JsonSchema => "schema",
        Syntax::Regex => "regular expression",
        Syntax::Lark | Syntax::Gbnf => "grammar",
    };
    let at = match place {
        Some("") => " at its root".to_owned(),
        Some(pointer) => format!(" at {pointer}"),
        None => String::new(),
    };
    let param = &source.param;
    let message = format!("Invalid {what} for '{param}'{at}: {}", shortened(said));
    let error = Error::invalid_request(param, message).detail("reason", "invalid_value");
    match place {
        Some(pointer) => error.detail("pointer", pointer),
        None => error,
    }
}

/// What is said of a source, without the Lark that was made around it.
fn words(syntax: Syntax, said: String) -> String {
    let marks = match syntax {
        Syntax::JsonSchema => ["failed to compile JSON schema: ", "\n   1 | start: %json"],
        Syntax::Regex => ["(in regex): ", "\n   1 | start: /"],
        Syntax::Lark | Syntax::Gbnf => return said,
    };
    let [front, back] = marks;
    let said = said.split_once(front).map_or(said.as_str(), |(_, it)| it);
    let said = said.split_once(back).map_or(said, |(it, _)| it);
    // The way there, by references; a pointer tells it.
    let said = said
        .split_once("\n  while processing")
        .map_or(said, |(it, _)| it);
    said.to_owned()
}

/// Messages may repeat what they are about.
fn shortened(said: &str) -> String {
    const MOST: usize = 600;
    let said = said.trim();
    match said.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", said.get(..at).unwrap_or(said)),
        None => said.to_owned(),
    }
}

/// A JSON pointer to the innermost part of a schema of which alone the same is said as of the whole, and what is said of it.
fn place(
    source: &Source,
    said: &str,
    fails: &dyn Fn(&Grammar) -> Option<String>,
) -> Option<(String, String)> {
    // Of what holds something that nothing is in, nothing is said but that.
    const NOTHING: &str = "Unsatisfiable schema";
    let root: Value = serde_json::from_str(&source.definition).ok()?;
    let (mut pointer, mut schema, mut said) = (String::new(), &root, said.to_owned());
    let mut trials = 0;
    loop {
        let inner = parts(schema).into_iter().find_map(|(step, part)| {
            trials += 1;
            if trials > MOST_TRIALS {
                return None;
            }
            let alone = Source {
                definition: alone(&root, part).to_string(),
                ..source.clone()
            };
            let of_part = words(source.syntax, fails(&Grammar::Source(alone))?);
            let is_same =
                of_part == said || of_part.starts_with(NOTHING) && said.starts_with(NOTHING);
            is_same.then_some((step, part, of_part))
        });
        let Some((step, part, of_part)) = inner else {
            return Some((pointer, said));
        };
        pointer.push_str(&step);
        (schema, said) = (part, of_part);
    }
}

/// A part of a schema as a schema, with the definitions that it may refer to.
fn alone(root: &Value, part: &Value) -> Value {
    let Value::Object(part) = part else {
        return part.clone();
    };
    let mut schema = Map::new();
    for key in ["$schema", "$defs", "definitions"] {
        if let Some(value) = root.get(key) {
            schema.insert(key.to_owned(), value.clone());
        }
    }
    schema.extend(part.clone());
    Value::Object(schema)
}
