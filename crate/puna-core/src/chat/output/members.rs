//! What arguments may be that are written one by one.

use serde_json::{Map, Value};

use super::Callable;
use super::block::Members;
use super::kind::{allows, resolved};
use crate::grammar::Grammar;
use crate::{Error, Result};

/// Parts of a schema that say something of its members together.
const TOGETHER: &[&str] = &[
    "$ref",
    "allOf",
    "anyOf",
    "const",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "if",
    "maxProperties",
    "minProperties",
    "not",
    "oneOf",
    "patternProperties",
    "propertyNames",
    "then",
    "unevaluatedProperties",
];
/// What is said of a text, and restricts it in no way.
const FREE: &[&str] = &[
    "$ref",
    "default",
    "deprecated",
    "description",
    "examples",
    "title",
    "type",
];
/// Members that may be left out in front of the first that may not, where something stands between them.
const MOST_BEGINNINGS: usize = 32;
/// Alternatives in alternatives.
const MOST_DEPTH: usize = 16;

impl Members {
    /// Arguments of a call of that tool.
    pub(super) fn grammar(&self, tool: &Callable) -> Result<Grammar> {
        let param = match &tool.arguments {
            Grammar::Source(source) => source.param.as_str(),
            _ => "tools",
        };
        let root = tool.schema().unwrap_or_default();
        let held = Held {
            members: self,
            root: &root,
            param,
        };
        held.all()
    }
}

/// A schema, as members are held to it.
struct Held<'h> {
    members: &'h Members,
    root: &'h Value,
    /// The field that it is from.
    param: &'h str,
}

impl Held<'_> {
    fn all(&self) -> Result<Grammar> {
        if let Some(word) = TOGETHER.iter().find(|word| self.root.get(word).is_some()) {
            return Err(self.refused(word));
        }
        let properties = self.root.get("properties").and_then(Value::as_object);
        let required = self.root.get("required").and_then(Value::as_array);
        let required: Vec<&str> = required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let none = Map::new();
        let properties = properties.unwrap_or(&none);
        if required.iter().any(|name| !properties.contains_key(*name)) {
            return Err(self.refused("required"));
        }
        let [front, middle] = self.members.name;
        if properties.is_empty() {
            let of_others = match self.root.get("additionalProperties") {
                Some(Value::Bool(false)) => return Ok(Grammar::text("")),
                Some(schema) => schema,
                None => &Value::Bool(true),
            };
            let member = Grammar::Sequence(vec![
                Grammar::text(front),
                Grammar::regex("[A-Za-z_][A-Za-z0-9_]*"),
                Grammar::text(middle),
                self.value(of_others, MOST_DEPTH)?,
            ]);
            let between = self.members.between.to_owned();
            let several = Grammar::Several(Box::new(member), between);
            return Ok(Grammar::Optional(Box::new(several)));
        }
        let mut all = Vec::new();
        for (name, schema) in properties {
            // Such a name would not be read as it is.
            if name.is_empty()
                || name.contains(|c: char| !c.is_alphanumeric() && !"_-.$".contains(c))
            {
                return Err(self.refused("properties"));
            }
            let member = Grammar::Sequence(vec![
                Grammar::Text(format!("{front}{name}{middle}")),
                self.value(schema, MOST_DEPTH)?,
            ]);
            all.push((member, required.contains(&name.as_str())));
        }
        if self.members.between.is_empty() {
            return Ok(self.further(&all));
        }
        // There are as many ways to begin, each with all that may follow.
        if all
            .iter()
            .take_while(|(_, is_required)| !is_required)
            .count()
            > MOST_BEGINNINGS
        {
            return Err(self.refused("properties"));
        }
        Ok(self.first_of(&all))
    }

    /// These, in this order; those that are not required may be left out.
    fn first_of(&self, all: &[(Grammar, bool)]) -> Grammar {
        let Some(((member, is_required), others)) = all.split_first() else {
            return Grammar::text("");
        };
        let begun = Grammar::Sequence(vec![member.clone(), self.further(others)]);
        match is_required {
            true => begun,
            false => Grammar::OneOf(vec![begun, self.first_of(others)]),
        }
    }

    /// The same behind another.
    fn further(&self, all: &[(Grammar, bool)]) -> Grammar {
        let further = all.iter().map(|(member, is_required)| {
            let between = Grammar::text(self.members.between);
            let member = Grammar::Sequence(vec![between, member.clone()]);
            match is_required {
                true => member,
                false => Grammar::Optional(Box::new(member)),
            }
        });
        Grammar::Sequence(further.collect())
    }

    /// A value, and what is behind it.
    fn value(&self, schema: &Value, depth: usize) -> Result<Grammar> {
        let Some(quote) = self.members.quote else {
            return Ok(self.json(schema));
        };
        let back = format!("{quote}{}", self.members.back);
        let inner = resolved(schema, self.root);
        let may_be_text = allows(inner, self.root, &Value::from(""));
        if !may_be_text {
            return Ok(self.json(schema));
        }
        let choices = match (inner.get("enum"), inner.get("const")) {
            (Some(Value::Array(all)), _) => all.as_slice(),
            (_, Some(one)) => std::slice::from_ref(one),
            _ => &[],
        };
        if !choices.is_empty() {
            let written = choices.iter().map(|it| match it {
                Value::String(text) => format!("{quote}{text}{back}"),
                other => format!("{other}{}", self.members.back),
            });
            return Ok(Grammar::OneOf(written.map(Grammar::Text).collect()));
        }
        let is_free = |word: &&String| word.as_str() == "anyOf" || FREE.contains(&word.as_str());
        let limit = inner
            .as_object()
            .and_then(|all| all.keys().find(|it| !is_free(it)));
        match limit {
            // A string of JSON is read, too, where texts have marks around them.
            Some(_) if !quote.is_empty() => return Ok(self.json(schema)),
            Some(word) => return Err(self.refused(word)),
            None => {}
        }
        if let Some(Value::Array(parts)) = inner.get("anyOf") {
            let depth = depth.checked_sub(1).ok_or_else(|| self.refused("anyOf"))?;
            let parts = parts.iter().map(|part| self.value(part, depth));
            return Ok(Grammar::OneOf(parts.collect::<Result<_>>()?));
        }
        let text = Grammar::Sequence(vec![Grammar::text(quote), Grammar::Through(back)]);
        let is_text = [Value::Null, 0.into(), true.into()];
        let is_text = !is_text.iter().any(|it| allows(inner, self.root, it));
        Ok(match is_text || quote.is_empty() {
            true => text,
            false => Grammar::OneOf(vec![text, self.json(schema)]),
        })
    }

    /// A value as JSON.
    fn json(&self, schema: &Value) -> Grammar {
        let mut schema = schema.clone();
        if let Value::Object(schema) = &mut schema {
            for key in ["$defs", "definitions"] {
                if let Some(definitions) = self.root.get(key) {
                    schema.insert(key.to_owned(), definitions.clone());
                }
            }
        }
        Grammar::Sequence(vec![
            Grammar::json(&schema, self.param),
            Grammar::text(self.members.back),
        ])
    }

    fn refused(&self, word: &str) -> Error {
        let param = self.param;
        let message = format!(
            "Unsupported value: '{param}': this model writes arguments one by one and as they are, so that they can't be held to \
             '{word}'. Leave it out, or let the model choose: 'tool_choice' \"auto\", and no 'strict'."
        );
        Error::invalid_request(param, message).detail("reason", "unsupported_value")
    }
}
