//! What the text of an answer has to be: `response_format`, and its names in other wires.

use serde_json::{Value, json};

use super::field::Field;
use crate::Result;
use crate::grammar::Grammar;

/// The field `response_format`; nothing where any text will do.
pub(super) fn parse(field: Field<'_, '_>) -> Result<Option<Grammar>> {
    let kinds = [
        ("text", Kind::Text),
        ("json_object", Kind::Object),
        ("json_schema", Kind::Schema),
    ];
    match field.member("type", |kind| kind.one_of(&kinds))? {
        Kind::Text => Ok(None),
        Kind::Object => {
            // Some servers take a schema here.
            let schema = field.optional("schema", schema)?;
            Ok(Some(schema.unwrap_or_else(|| {
                Grammar::json(&json!({ "type": "object" }), field.path)
            })))
        }
        Kind::Schema => field.member("json_schema", |field| {
            field.member("name", |it| it.name())?;
            field.optional("strict", |it| it.bool())?;
            field.optional("description", |it| it.str())?;
            field.member("schema", schema).map(Some)
        }),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Object,
    Schema,
}

/// A JSON schema.
pub(crate) fn schema(field: Field<'_, '_>) -> Result<Grammar> {
    match field.value {
        Value::Object(_) | Value::Bool(_) => Ok(Grammar::json(field.value, field.path)),
        _ => Err(field.wrong_type("an object")),
    }
}
